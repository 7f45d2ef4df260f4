/**
 * Scopes of several organizations at once on one client, in an order that dice choose: what each work saw, and what it was
 * told of its writes. Run by the tests, a few seeds, and by the long ones, a thousand.
 */
import type { PGlite } from '@electric-sql/pglite'
import type pg from 'pg'
import { type OrgScopeContext, withOrgScope, withSystemScope } from '../../src/storage/org-scope.ts'
import { policySql, roleSql } from '../../src/storage/policy-sql.ts'
import { createDice } from './sql-pools.ts'

/** Whatever runs a query. */
interface Asking {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** A database, and what its scopes are named by. */
export interface ScopedDatabase {
  readonly pool: pg.Pool | PGlite
  readonly scope: { readonly role?: string }
  /** As somebody whom no policy binds. */
  readonly admin: Asking
}

/** The organizations of the table. */
export const ORGS: readonly string[] = [1, 2, 3, 4, 5].map((digit) => `${digit}0000000-0000-4000-8000-000000000000`)

/** Make the table, its policies and a row of each organization; `run` takes several statements. */
export async function makeTable(
  owner: pg.Pool | PGlite,
  run: (script: string) => Promise<unknown>,
  role?: string,
): Promise<void> {
  const more = role === undefined ? {} : { role }
  await run(`CREATE TABLE notes (org_id uuid NOT NULL, text text NOT NULL); ${role === undefined ? '' : roleSql(role)}
    ${policySql({ table: 'notes', column: 'org_id', system: 'all', ...more })}`)
  for (const org of ORGS) {
    await withSystemScope(owner as pg.Pool, (client) =>
      client.query('INSERT INTO notes VALUES ($1, $2)', [org, 'first']),
    )
  }
}

/** A context in an organization. */
export function actingIn(orgId: string): OrgScopeContext {
  return { kind: 'user', org: { id: orgId }, role: 'member', user: { id: 'u', email: null, disabled: false } }
}

/** What went wrong: nothing, if all is well. */
export interface Interleaving {
  /** Rows of another organization that a work saw. */
  readonly foreign: number
  /** Writes that were reported done and are not there, or reported undone and are. */
  readonly untrue: readonly string[]
  readonly refused: number
  readonly done: number
}

/** Two to five scopes, and plain questions beside them, on one client; the dice say who does what when. */
export async function interleave({ pool, scope, admin }: ScopedDatabase, seed: number): Promise<Interleaving> {
  const dice = createDice(seed * 7919 + 1)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(dice() * list.length)] as T
  let foreign = 0
  let refused = 0
  const written = new Map<string, boolean>()
  const see = ({ rows }: { rows: unknown[] }, org: string): void => {
    foreign += (rows as { org_id: string }[]).filter(({ org_id }) => org_id !== org).length
  }
  const pause = async (): Promise<void> => {
    for (let count = Math.floor(dice() * 4); count > 0; count--) await new Promise((go) => setImmediate(go))
  }
  const inScope = async (client: Asking, org: string, depth: number, id: string): Promise<void> => {
    await pause()
    see(await client.query('SELECT org_id FROM notes'), org)
    await client.query('INSERT INTO notes VALUES ($1, $2)', [org, id])
    if (dice() < 0.2) await client.query(pick(MISDEEDS), []).catch(() => refused++)
    if (depth < 2 && dice() < 0.4) await attempt(client, pick(ORGS), depth + 1, `${id}.n`)
    await pause()
    see(await client.query('SELECT org_id FROM notes'), org)
    if (dice() < 0.15) throw new Error('of the host')
  }
  const attempt = (client: Asking, org: string, depth: number, id: string): Promise<void> =>
    withOrgScope(client as never, actingIn(org), (inner) => inScope(inner as Asking, org, depth, id), scope).then(
      () => void written.set(id, true),
      (error: Error) => {
        written.set(id, false)
        refused += /one at a time|nothing was stored|is not the work/.test(error.message) ? 1 : 0
      },
    )
  // The transaction around them is the first organization's; it ends well, or takes all of them with it.
  const around = ORGS[0] as string
  const outer = await withOrgScope(
    pool as pg.Pool,
    actingIn(around),
    async (client) => {
      const count = 2 + Math.floor(dice() * 4)
      const works = Array.from({ length: count }, async (_, index) => {
        await pause()
        if (dice() < 0.25) {
          // Beside the scopes: the outer handle sees what is its own, or is refused.
          await client.query('SELECT org_id FROM notes').then(
            (result) => see(result, around),
            () => refused++,
          )
        }
        await attempt(client, pick(ORGS), 0, `${seed}.${index}`)
      })
      await Promise.all(works)
      if (dice() < 0.1) throw new Error('of the host')
    },
    scope,
  ).then(
    () => true,
    () => false,
  )
  const { rows } = await admin.query('SELECT text FROM notes WHERE text LIKE $1', [`${seed}.%`])
  const there = new Set((rows as { text: string }[]).map(({ text }) => text))
  const isDone = (id: string): boolean => outer && prefixes(id).every((each) => written.get(each) === true)
  const untrue = [...written.keys()].filter((id) => there.has(id) !== isDone(id))
  const unknown = [...there].filter((id) => !written.has(id))
  return { foreign, untrue: [...untrue, ...unknown], refused, done: there.size }
}

// A scope inside another is there if all around it are.
function prefixes(id: string): string[] {
  const parts = id.split('.n')
  return parts.map((_, index) => parts.slice(0, index + 1).join('.n'))
}

const MISDEEDS: readonly string[] = [
  'COMMIT',
  '/* x */ rollback',
  'BEGIN',
  'SELECT 1; COMMIT; BEGIN',
  'SET LOCAL statement_timeout = 60000',
  'SAVEPOINT sallyport_scope',
  `SET app.org_id = '${ORGS[4]}'`,
  `SELECT set_config('app.org_id', '${ORGS[4]}', true)`,
  'RESET ROLE',
  'RESET ALL',
  'SET search_path = public',
]
