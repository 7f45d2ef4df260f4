/**
 * A host's own rows, reached only through the organization a call acts in: for stores that have no row-level security.
 * What is not there and what is another organization's are one answer.
 */
import type { Organization } from '../context.ts'
import { AuthError } from '../errors.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { optionsError, ownMembers } from '../lib/parse-options.ts'

/** What every look-up is told: the acting organization, and the whole context for stores that want it. */
export interface ActingScope<C extends OrgHolder = OrgHolder> {
  readonly orgId: string
  /** The context as the handler got it. */
  readonly context: C
}

/** A context with an organization: of a user, an API key or a service that acts in one. */
export interface OrgHolder {
  readonly org: Organization | null
}

/** A host's look-ups and writes: each is told first for which organization. */
// biome-ignore lint/suspicious/noExplicitAny: a host's parameters and results are its own
export type ScopedFunctions<C extends OrgHolder> = Record<string, (scope: ActingScope<C>, ...rest: any[]) => unknown>

/** The same functions in one organization: without the first parameter, and never with "none" for an answer. */
export type OrgScoped<F> = {
  readonly [K in keyof F]: F[K] extends (scope: never, ...rest: infer A) => infer R
    ? // biome-ignore lint/suspicious/noConfusingVoidType: a function that answers nothing is one that found nothing
      (...rest: A) => Promise<Exclude<Awaited<R>, null | false | undefined | void>>
    : never
}

/** Options of {@link createOrgScoped}. */
export interface OrgScopedOptions {
  /**
   * The organization a row belongs to. Where given, each row that comes back is asked: another organization's is as if it
   * were not there, so that a query which forgets its `where` shows nothing.
   */
  readonly orgIdOf?: ((row: never) => string) | undefined
}

/**
 * Scope a host's rows: `functions` are told the organization by the library, never by a handler, and a handler gets them
 * without that parameter.
 *
 * An answer of `null`, `undefined` or `false` (nothing found, nothing removed) is refused with `not_found` (404), another
 * organization's row alike: so a write answers its row, or `true`. Costs nothing of its own.
 *
 * @throws OptionsError for functions that are none
 * @example
 * const contacts = createOrgScoped({
 *   find: ({ orgId }, id: string) => db.one('select * from contacts where org_id = $1 and id = $2', [orgId, id]),
 *   remove: ({ orgId }, id: string) => db.run('delete from contacts where org_id = $1 and id = $2', [orgId, id]),
 * })
 * app.get('/contacts/:id', protect(async (context, req, res) => res.json(await contacts(context).find(String(req.params.id)))))
 */
export function createOrgScoped<F extends ScopedFunctions<C>, C extends OrgHolder = OrgHolder>(
  functions: F,
  options: OrgScopedOptions = {},
): (context: C) => OrgScoped<F> {
  const { orgIdOf } = ownMembers(options)
  const entries = Object.entries(functions)
  if (entries.length === 0 || entries.some(([, each]) => typeof each !== 'function')) {
    throw optionsError('createOrgScoped', '', 'the functions must be an object of functions')
  }
  return (context) => {
    const scope = { orgId: requireOrgId(context), context }
    const own = (row: unknown): boolean =>
      orgIdOf === undefined || requireAtOnce('createOrgScoped: option "orgIdOf"', orgIdOf(row as never)) === scope.orgId
    const bound = entries.map(([name, ask]) => [
      name,
      async (...rest: unknown[]): Promise<unknown> => foundIn(await ask(scope, ...rest), own),
    ])
    return Object.freeze(Object.fromEntries(bound)) as OrgScoped<F>
  }
}

function requireOrgId({ org }: OrgHolder): string {
  if (typeof org?.id !== 'string' || org.id === '') {
    throw new Error('createOrgScoped: the context has no organization')
  }
  return org.id
}

function foundIn(answer: unknown, own: (row: unknown) => boolean): unknown {
  if (Array.isArray(answer)) return answer.filter(own)
  const isRow = typeof answer === 'object' && answer !== null
  if (answer === null || answer === undefined || answer === false || (isRow && !own(answer))) {
    throw new AuthError('not_found', { reason: 'not_in_this_org' })
  }
  return answer
}
