/** The command `sallyport migrate`: on databases, without a driver as a process; what it prints, what it refuses in this one. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { migrationSql as postgresSql } from '../../src/storage/postgres.ts'
import { migrationSql as sqliteSql } from '../../src/storage/sqlite.ts'
import { createTestDatabase } from '../postgres.ts'
import { programOf } from '../program.ts'
import { createSqlitePath } from '../sqlite.ts'
import { type Ending, sallyport as here } from './fake-terminal.ts'

const main = await programOf('src/cli/main.ts')
const empty = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
afterAll(() => rmSync(empty, { recursive: true, force: true }))

type Asked = Omit<Ending, 'code'> & { readonly code: number | null }

// As a process.
function sallyport(args: string, env: Readonly<Record<string, string>> = {}, cwd?: string): Asked {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args.split(' ')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  return { code: status, out: stdout, complaint: stderr }
}

const ISO = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
const DONE = new RegExp(
  `^   1  users, organizations, memberships, invitations +${ISO}\n   2  API keys +${ISO}\n   3  local login +${ISO}\n   4  machines +${ISO}\n   5  invitations that expire, and who sent them +${ISO}\n   6  API keys by their makers +${ISO}\n$`,
)

describe.each([
  ['PostgreSQL', () => createTestDatabase('empty')],
  ['SQLite', async () => createSqlitePath()],
])('on %s', (_, create) => {
  it('status says what is pending, up runs it once, status says when', async () => {
    const env = { DATABASE_URL: await create() }
    if (env.DATABASE_URL.startsWith('/')) {
      expect(sallyport('migrate status', env)).toMatchObject({ code: 1, out: '' })
      expect(existsSync(env.DATABASE_URL)).toBe(false)
    } else {
      const { code, out } = sallyport('migrate status', env)
      expect([code, out.match(/pending\n/g)?.length]).toEqual([3, 6])
    }
    const up = sallyport('migrate up', env)
    expect(up).toMatchObject({ code: 0, out: expect.stringMatching(DONE), complaint: '' })
    expect(sallyport('migrate up', env)).toEqual({
      code: 0,
      out: 'Nothing to do: all migrations have been run.\n',
      complaint: '',
    })
    const status = sallyport(`migrate status --database ${env.DATABASE_URL}`)
    expect(status).toEqual(up)
  })
})

describe("ids of organizations that are the host's", () => {
  it('are asked for again: without, exit code 1 and the option that is missing', () => {
    const database = `--database ${createSqlitePath()}`
    const up = sallyport(`migrate up ${database} --org-ids host`)
    expect(up).toMatchObject({ code: 0, out: expect.stringContaining('organizations by ids of the host') })
    expect(sallyport(`migrate status ${database} --org-ids host`)).toEqual(up)
    const { code, complaint } = sallyport(`migrate up ${database}`)
    expect([code, complaint.split('\n')]).toEqual([1, [expect.stringContaining("orgIds: 'host'"), '']])
  })
})

const inProcess = (args: string, env: Readonly<Record<string, string>> = {}): Promise<Ending> =>
  here(args.split(' '), { env })

describe('print', () => {
  it('prints the plain SQL, under the names that were asked for', async () => {
    expect((await inProcess('migrate print --dialect postgres')).out).toBe(postgresSql())
    expect((await inProcess('migrate print --dialect sqlite')).out).toBe(sqliteSql())
    const where = { schema: 'auth', tables: { users: 'people', orgs: 'companies' } }
    const args = 'migrate print --dialect postgres --schema auth --table users=people --table orgs=companies'
    expect(await inProcess(args)).toEqual({ code: 0, out: postgresSql(where), complaint: '' })
    expect((await inProcess('migrate print --dialect sqlite --org-ids host')).out).toBe(sqliteSql({ orgIds: 'host' }))
    const env = { DATABASE_URL: 'postgresql://unreachable/x' }
    expect((await inProcess('migrate print', env)).out).toBe(postgresSql())
    expect((await inProcess('migrate print --dialect sqlite', env)).out).toBe(sqliteSql())
  })
})

describe('what is wrong', () => {
  it.each([
    ['migrate', 'Usage: sallyport migrate'],
    ['migrate sideways', 'sallyport migrate: name one of up, status, print'],
    ['migrate statsu', 'did you mean status?'],
    ['migrate up x.db', 'up takes options alone: is --database missing before the name?'],
    ['migrate up --bogus', 'there is no option --bogus'],
    ['migrate up --databse x.db', 'did you mean --database?'],
    ['migrate up', 'name a --database or a --dialect'],
    ['migrate up --dialect oracle', 'there is no dialect "oracle"'],
    ['migrate up --dialect postgres', 'name a --database, or set DATABASE_URL'],
    ['migrate up --database x.db --schema auth', 'SQLite has no --schema'],
    ['migrate up --database postgre://me:hunter22@127.0.0.1/x', 'must be postgres://… or a path of a SQLite file'],
    ['migrate status --database mysql://me:hunter22@h/x', 'must be postgres://… or a path of a SQLite file'],
    ['migrate up --database mysql:me:hunter22', 'must be postgres://… or a path of a SQLite file'],
    ['migrate up --database me:hunter22@h/x', 'must be postgres://… or a path of a SQLite file'],
    ['migrate status --database //me:hunter22@h/x', 'must be postgres://… or a path of a SQLite file'],
    ['migrate up --database file:mysql://me:hunter22@h/x', 'must be postgres://… or a path of a SQLite file'],
    ['migrate up --database postgres:me:hunter22', 'must be a URL postgres://…'],
    ['migrate up --database postgres://me:hunter22@h', 'names no database'],
    ['migrate up --database file:x.db?mode=ro', 'takes no "?…"'],
    ['migrate up --database x.db?mode=hunter22', 'takes no "?…"'],
    ['migrate up --database sqlite:', 'an empty name'],
    ['migrate up --dialect sqlite --database postgres://me:hunter22@h/x', 'the database is none of sqlite'],
    ['migrate status --dialect postgres --database x.db', 'the database is none of postgres'],
    ['migrate print --dialect sqlite --database postgres://me:hunter22@h/x', 'the database is none of sqlite'],
    ['migrate print --dialect postgres --schema a;b', 'option "schema"'],
    ['migrate print --dialect postgres --table people', 'write --table users=people'],
    ['migrate print --dialect postgres --org-ids text', 'write --org-ids uuid or --org-ids host'],
    ['migrate print --dialect postgres --table persons=people', 'unknown option "tables.persons"'],
    ['dance', 'there is no command "dance"'],
  ])('%s: exit code 2, with the sentence and the usage', async (args, sentence) => {
    const { code, out, complaint } = await inProcess(args)
    expect([code, out]).toEqual([2, ''])
    expect(complaint).toContain(sentence)
    expect(complaint).toContain('Usage: sallyport')
    expect(complaint).not.toContain('    at ')
    expect(complaint).not.toContain('hunter22')
    // Nothing was made of a name that was taken for a file's.
    expect(readdirSync(process.cwd()).filter((name) => /hunter22|x\.db|mysql|postgre/.test(name))).toEqual([])
  })

  it('a database that is not there: exit code 1, one line, no password', () => {
    const { code, out, complaint } = sallyport('migrate up --database postgres://me:secret@127.0.0.1:1/none')
    expect([code, out]).toEqual([1, ''])
    expect(complaint).toMatch(/^sallyport: .*ECONNREFUSED.*\n$/)
    expect(complaint).not.toContain('secret')
  })

  it('a driver that is not there: exit code 1, and the line that installs it', () => {
    const { code, complaint } = sallyport('migrate up --database postgres://127.0.0.1:1/none', {}, empty)
    expect(code).toBe(1)
    expect(complaint).toContain('Install it: npm install pg')
  })

  it('nothing: help is no failure', async () => {
    expect(await inProcess('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: sallyport') })
    expect(await inProcess('migrate --help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes') })
  })
})
