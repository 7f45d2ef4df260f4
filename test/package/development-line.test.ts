/**
 * The words of `explain()` where nothing is wired: the installed package has them, and no bundle carries them, complains of them
 * or misses them. What could not be loaded was once an unhandled rejection's way to end a process.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Format } from 'esbuild'
import { build as viteBuild } from 'vite'
import { afterAll, describe, expect, it } from 'vitest'
import { openPacked } from './packed.ts'

const packed = await openPacked()
const folder = mkdtempSync(join(tmpdir(), 'sallyport-line-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

// A token of an issuer whose name lacks a slash, twice, in one and the same moment: a line is printed again after a second.
const PROGRAM = `
import { createAuth, createJwtVerifier } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
const issuers = [{ issuer: 'https://id.example', keys: [{ kind: 'secret', secret: 'q7RzkP2mVd9sLw4tYh8nBz3cJf6gKa1e' }], audience: null }]
const now = Date.now()
const auth = createAuth({ verifier: createJwtVerifier({ issuers }), clock: () => now })
const encode = (value) => btoa(JSON.stringify(value)).replace(/=+$/, '')
const token = encode({ alg: 'HS256' }) + '.' + encode({ iss: 'https://id.example/' }) + '.' + 'A'.repeat(43)
const request = () => new Request('http://x/me', { headers: { authorization: 'Bearer ' + token } })
const asked = async () => { for (const _ of [1, 2]) await auth.authenticate(fromFetchRequest(request())).catch((error) => console.log(error.code)) }
asked()
`
const EXPLAINED = [
  'sallyport: 401 token_issuer_unknown: the token says "https://id.example/", trusted is "https://id.example" — a trailing slash? (GET /me)',
  'sallyport: in development the same refusal is printed once in 3 s; onDecision: explain() prints every one',
]
const RECORDED = [
  'sallyport: refused, token_issuer_unknown, got https://id.example/, expected https://id.example (GET /me); onDecision: explain() says why',
]
// Of the texts, one that every bundle of them would hold.
const WORDS = 'another realm of the same server'

function run(cwd: string, file: string, mode?: string): { out: string[]; lines: string[] } {
  const { NODE_ENV: _, ...env } = process.env
  const asked = mode === undefined ? env : { ...env, NODE_ENV: mode }
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd, env: asked, encoding: 'utf8' })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')
  return { out: linesOf(stdout), lines: linesOf(stderr) }
}

// Where no package is to be found.
function alone(name: string): string {
  const place = join(folder, name)
  mkdirSync(place, { recursive: true })
  return place
}

const REFUSED = ['unauthorized', 'unauthorized']

describe('the installed package', () => {
  it.each([
    ['development', EXPLAINED],
    [undefined, EXPLAINED],
    ['production', []],
    ['test', []],
  ])('in mode %j says this of a refusal', (mode, lines) => {
    writeFileSync(join(packed.bare, 'line.mjs'), PROGRAM)
    expect(run(packed.bare, 'line.mjs', mode)).toEqual({ out: REFUSED, lines })
  })
})

describe('in one file', () => {
  it.each<[Format, boolean]>([
    ['esm', false],
    ['esm', true],
    ['cjs', true],
  ])('by esbuild as %s, minified: %j', async (format, minify) => {
    const outfile = join(alone(`esbuild-${format}-${minify}`), `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const stdin = { contents: PROGRAM, resolveDir: packed.bare }
    const { warnings, outputFiles } = await build({
      ...{ stdin, outfile, bundle: true, minify, format, platform: 'node', target: 'node20', write: false },
    })
    const text = outputFiles?.[0]?.text ?? ''
    writeFileSync(outfile, text)
    expect(warnings).toEqual([])
    expect(text.includes(WORDS)).toBe(false)
    expect(run(join(outfile, '..'), outfile, 'development')).toEqual({ out: REFUSED, lines: RECORDED })
  })

  it('by Vite for a server', async () => {
    writeFileSync(join(packed.bare, 'line.mjs'), PROGRAM)
    const outDir = alone('vite')
    const warnings: string[] = []
    await viteBuild({
      ...{ root: packed.bare, configFile: false, logLevel: 'silent', ssr: { noExternal: true } },
      build: {
        ...{ ssr: 'line.mjs', outDir, emptyOutDir: false },
        rollupOptions: { onwarn: ({ message }) => void warnings.push(message) },
      },
    })
    const file = execFileSync('ls', [outDir], { encoding: 'utf8' }).trim()
    expect(warnings).toEqual([])
    expect(run(outDir, join(outDir, file), 'development')).toEqual({ out: REFUSED, lines: RECORDED })
  })
})
