/** The search at the end of a run finds what is there: planted in a real SQLite file, a page, a log, in every encoding. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyFormat } from '../src/api-keys/key-format.ts'
import { issuer, SERVICE_SECRET } from './pipeline/world.ts'
import { withoutSecrets } from './redact-failures.ts'
import { knownCanaries, searchLeavings } from './search-leavings.ts'
import { SQLITE_DRIVERS } from './storage/sqlite-drivers.ts'

let folder: string
beforeEach(() => {
  // Not `sallyport-…`: the run's own search must not find this.
  folder = mkdtempSync(join(tmpdir(), 'planted-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const { key } = createKeyFormat('test', 'itk').create()
const foundIn = (text: string | Buffer, name = 'output of the run'): readonly string[] => {
  writeFileSync(join(folder, name), text)
  return searchLeavings(folder).found
}

describe('the search', () => {
  it('knows what tests and examples call a secret or a password', () => {
    const some = [SERVICE_SECRET, 'canary-password-5b1f', 'canary of a new password 5b7d', 'correct horse battery']
    expect(knownCanaries()).toEqual(expect.arrayContaining(some))
  })

  it.each([
    ['as it is', SERVICE_SECRET],
    ['in hexadecimal', Buffer.from(SERVICE_SECRET).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(SERVICE_SECRET).toString('base64')],
  ])('finds a secret %s', (_how, text) => {
    expect(foundIn(`\0\x01${text}\0`)).toEqual([`output of the run: ${JSON.stringify(SERVICE_SECRET.slice(0, 40))}`])
  })

  it('finds any API key and any signed token, and neither a key’s id nor a digest', async () => {
    const token = await issuer.sign({ sub: 'ada' })
    for (const secret of [key, token]) {
      for (const text of [`x ${secret} y`, `{"token":"${secret}"}`, `\x1b[39m${secret}\x1b[0m`, `?token=${secret}x`]) {
        expect(foundIn(text)).toHaveLength(1)
      }
    }
    expect(foundIn(`${key.slice(0, 16)} ${'ab'.repeat(32)} ${token.split('.')[0]}.…`)).toEqual([])
  })

  it('finds it in pages of tables and in the log ahead of them, not in the system’s own', () => {
    for (const name of ['postgres/base/5', 'postgres/pg_wal']) mkdirSync(join(folder, name), { recursive: true })
    const page = Buffer.concat([Buffer.alloc(8192), Buffer.from(key), Buffer.alloc(64)])
    expect(foundIn(page, 'postgres/base/5/1259')).toEqual([])
    expect(foundIn(page, 'postgres/base/5/16400.1')).toHaveLength(1)
    rmSync(join(folder, 'postgres/base'), { recursive: true })
    expect(foundIn(page, 'postgres/pg_wal/000000010000000000000001')).toHaveLength(1)
  })

  it('says in which test’s report it stands, and whose fault it is', () => {
    const printed = [
      `\x1b[41m FAIL \x1b[49m \x1b[42m unit \x1b[49m test/a.test.ts\x1b[2m > \x1b[22mis refused`,
      `+ ${key}`,
      '\x1b[90mstderr\x1b[2m | test/b.test.ts\x1b[2m > \x1b[22mis logged',
      `\x1b[22m\x1b[39m${SERVICE_SECRET}`,
      ' \x1b[32m✓\x1b[39m unit test/c.test.ts (1 test)',
      `${key}`,
    ]
    const [first, second] = [key, SERVICE_SECRET].map((secret) => JSON.stringify(secret.slice(0, 40)))
    expect(foundIn(printed.join('\n'))).toEqual([
      `output of the run, in the report of a failed test, which is to be mended first (unit  test/a.test.ts > is refused): ${first}`,
      `output of the run, printed by a test (test/b.test.ts > is logged): ${second}`,
      `output of the run: ${first}`,
    ])
  })

  it.each(SQLITE_DRIVERS)('finds it in a file of $name, before its log is written back too', ({ open }) => {
    const database = open(join(folder, 'app.db'))
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (secret TEXT)')
    database.exec(`INSERT INTO t VALUES ('${key}')`)
    const whileOpen = searchLeavings(folder).found
    database.close()
    expect([whileOpen.length, searchLeavings(folder).found.length]).toEqual([1, 1])
  })
})

it('the report of a failed test holds no secret', () => {
  const encoded = Buffer.from(SERVICE_SECRET).toString('hex').toUpperCase()
  const text = `expected '${SERVICE_SECRET}' to be "${key}", got ${encoded} and password: abcdefgh`
  expect(withoutSecrets(text)).toBe(
    'expected \'[a secret]\' to be "[a key or token]", got [a secret] and password: [a password]',
  )
})
