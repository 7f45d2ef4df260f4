/** Every way the command ends, in a real process on a pseudo-terminal of 80 columns: its exit code, the width of its lines, colours. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { programOf } from '../program.ts'

const program = await programOf('src/cli/main.ts')
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
if (!hasScript) console.log('NOT RUN on a pseudo-terminal: there is no script of util-linux')

const folder = mkdtempSync(join(tmpdir(), 'sallyport-exit-codes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const CONFIGS = {
  'broken.mjs': 'export const auth = {',
  'throws.mjs': "throw new Error('DATABASE_URL is not set')",
  'empty.mjs': 'export const nothing = 1',
}
for (const [name, text] of Object.entries(CONFIGS)) writeFileSync(join(folder, name), text)

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const token = await issuer.sign()
const env = { ...process.env, TOKEN_SECRET: issuer.secret }
const trusted = ['--issuer', issuer.issuer, '--secret-env', 'TOKEN_SECRET']

/** What the command is called with, and its exit code. */
const CASES: readonly (readonly [what: string, words: readonly string[], code: number])[] = [
  ['its help', ['--help'], 0],
  ['no command', [], 2],
  ['a misspelt command', ['inspekt'], 2],
  ['help for none', ['help', 'nothing'], 2],
  ['inspect: a good token', ['inspect', token, ...trusted, '--audience', issuer.audience], 0],
  ['inspect: another audience', ['inspect', token, ...trusted, '--audience', 'others'], 1],
  ['inspect: no token at all', ['inspect'], 2],
  ['inspect: no JWT', ['inspect', 'opaque'], 1],
  ['inspect: no key to verify by', ['inspect', token], 3],
  ['inspect: a variable that is not set', ['inspect', token, '--secret-env', 'NOT_THERE'], 2],
  [
    'inspect: a key server that is away',
    ['inspect', token, '--issuer', issuer.issuer, '--jwks', 'http://127.0.0.1:1/'],
    1,
  ],
  ['doctor: nothing to ask', ['doctor'], 2],
  ['doctor: a config that is not there', ['doctor', '--config', 'none.mjs'], 2],
  ['doctor: a config that does not parse', ['doctor', '--config', 'broken.mjs'], 3],
  ['doctor: a config that throws', ['doctor', '--config', 'throws.mjs'], 3],
  ['doctor: a config of nothing', ['doctor', '--config', 'empty.mjs'], 2],
  ['doctor: a misspelt option', ['doctor', '--jsno'], 2],
  ['doctor: an issuer that is away', ['doctor', '--issuer', 'http://127.0.0.1:1', '--audience', 'a'], 1],
  ['keys: of what', ['keys'], 2],
  ['migrate: what to do', ['migrate'], 2],
  ['migrate: another scheme', ['migrate', 'status', '--database', 'mysql://host/x'], 2],
  ['migrate: no such file', ['migrate', 'status', '--database', 'none.db'], 1],
]

/** Run it on a terminal of 80 columns; its exit code, and what is seen. */
function onTerminal(words: readonly string[], more: Record<string, string>): { code: number | null; seen: string } {
  const quoted = [process.execPath, program, ...words].map((word) => `'${word}'`).join(' ')
  const { status, stdout } = spawnSync('script', ['-qec', `stty cols 80; exec ${quoted}`, '/dev/null'], {
    cwd: folder,
    env: { ...env, ...more },
    encoding: 'utf8',
    input: '',
  })
  return { code: status, seen: stdout.replaceAll('\r', '') }
}

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
// What can't be broken: a path, a token's own text is none.
const isLong = (line: string): boolean => line.length > 80 && line.trim().split(' ').length > 1

describe.runIf(hasScript)('on a terminal of 80 columns', () => {
  it.each(CASES)('%s', (_what, words, code) => {
    const coloured = onTerminal(words, {})
    const plain = onTerminal(words, { NO_COLOR: '1' })
    expect([coloured.code, plain.code], plain.seen).toEqual([code, code])
    expect(plain.seen.match(COLOUR)).toBe(null)
    expect(coloured.seen.replaceAll(COLOUR, '').replaceAll(/\d+ (ms|s|seconds?|minutes?)\b/g, '')).toBe(
      plain.seen.replaceAll(/\d+ (ms|s|seconds?|minutes?)\b/g, ''),
    )
    expect(plain.seen.split('\n').filter(isLong)).toEqual([])
    expect(plain.seen).not.toContain(token.split('.')[2])
  })
})

it.each(CASES)('without a terminal: %s', (_what, words, code) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: folder,
    env,
    encoding: 'utf8',
    input: '',
  })
  expect(status, stderr).toBe(code)
  expect(`${stdout}${stderr}`.match(COLOUR)).toBe(null)
})
