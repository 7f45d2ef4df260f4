/** The command `sallyport` itself: its help, its version, and a command that is none. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { programOf } from '../program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = await programOf('src/cli/main.ts')
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }

function sallyport(...args: string[]): Ending {
  return withInput('', ...args)
}

function withInput(input: string, ...args: string[]): Ending {
  const run = [program, ...args]
  const env = { ...process.env, TOO_SHORT: 'a secret' }
  // Anywhere: what it says of itself does not hang on the working directory.
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: '/', encoding: 'utf8', input, env })
  return { code: status, out: stdout, said: stderr }
}

interface Ending {
  readonly code: number | null
  readonly out: string
  readonly said: string
}

it('--version says which this is, as package.json does', () => {
  expect(sallyport('--version')).toEqual({ code: 0, out: `${version}\n`, said: '' })
})

it('--help names its commands, and how to learn the version', () => {
  const { code, out } = sallyport('--help')
  expect([code, out.includes('migrate'), out.includes('--version')]).toEqual([0, true, true])
})

it.each([[[]], [['version']], [['--versoin']]])('%j is no command: exit code 2, said on stderr', (args) => {
  const { code, out, said } = sallyport(...args)
  expect([code, out]).toEqual([2, ''])
  expect(said).toContain('Usage: sallyport <command>')
})

it('a token on standard input is read to its end, and the exit code is the verdict', async () => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  const words = ['inspect', '-', '--issuer', issuer.issuer, '--audience', issuer.audience, '--secret-env', 'TOO_SHORT']
  expect(withInput(`${await issuer.sign()}\n`, ...words).code).toBe(2)
  const { code, out, said } = withInput(`${await issuer.sign()}\n`, 'inspect', '-', '--audience', issuer.audience)
  expect([code, said]).toEqual([3, ''])
  expect(out).toContain('Looked at, not verified')
})

it('whoever reads may leave first: the exit code stays the verdict, and nothing is said', async () => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  const child = spawn(process.execPath, [program, 'inspect', '-'])
  const [ended, said] = [once(child, 'close'), text(child.stderr)]
  // It writes when its input has ended: by then nobody reads.
  child.stdout.destroy()
  child.stdin.end(await issuer.sign())
  expect([await ended, await said]).toEqual([[3, null], ''])
})

it.each([
  [
    'doctor --config FILE --json --database postgres://me:hunter22@h/db',
    'doctor --config FILE --json --database <database>',
  ],
  [
    'inspect eyJhunter22 --config FILE --at 2026-11-20T12:00:00Z',
    'inspect <token> --config FILE --at 2026-11-20T12:00:00Z',
  ],
])('a config that this Node does not read: the whole command to give it by (%s)', (given, shown) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-main-'))
  // No Node reads a module of this name.
  const config = join(folder, 'an auth.other')
  writeFileSync(config, '')
  const { code, said } = sallyport(...given.split(' ').map((word) => (word === 'FILE' ? config : word)))
  rmSync(folder, { recursive: true, force: true })
  expect(code).toBe(3)
  expect(said).toContain(
    `\n  node --import tsx node_modules/sallyport/dist/cli.js ${shown.replace('FILE', `'${config}'`)}\n`,
  )
  expect(said).not.toContain('hunter22')
})

it('what a config leaves open does not keep the doctor from ending', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-main-'))
  const config = join(folder, 'auth.mjs')
  const auth = '{ warmUp: async () => {}, readiness: () => ({ isReady: true, down: [] }), close() {} }'
  writeFileSync(config, `setInterval(() => undefined, 1000)\nexport const auth = ${auth}\n`)
  const { code, out } = sallyport('doctor', '--config', config)
  rmSync(folder, { recursive: true, force: true })
  expect([code, out]).toEqual([0, expect.stringContaining('All that was asked is well.')])
})
