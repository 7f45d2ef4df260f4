/**
 * How a request names its organization: read early and purely into one value, judged later in the org resolver.
 * A selector is a header or a path parameter; never a claim, a body, a query or the host name.
 */
import type { OrgSelection } from '../context.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { isSlug, isUuid } from '../lib/id-form.ts'
import { aGroupOfKind, aHeaderName, aName, type OptionType, oneOf } from '../lib/parse-options.ts'
import type { AuthRequest, OrgSelector } from '../request.ts'

/** Bring an id as a client wrote it into its one canonical form; `null` if it is malformed. */
export type OrgIdFormat = (text: string) => string | null

/**
 * Select by a request header.
 *
 * @param name the header, in any case
 * @example
 * const orgs = createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'reject' })
 */
export function header(name: string): OrgSelector {
  return Object.freeze({ kind: 'header', name })
}

/**
 * Select by a parameter of the route's path. It belongs to a route's `Access`: where the parameter is absent the pipeline
 * throws (ours, 500), it is never "unnamed".
 *
 * @param name the parameter, without its colon
 * @example
 * protect({ selectors: [pathParam('orgId')] }, handler)
 */
export function pathParam(name: string): OrgSelector {
  return Object.freeze({ kind: 'pathParam', name })
}

/**
 * A UUID in its canonical text form (RFC 9562 §4), any case in, lower case out. The default.
 *
 * @example
 * uuidFormat('C0FFEE00-0000-4000-8000-000000000000') // 'c0ffee00-…', or null for what is none
 */
export const uuidFormat: OrgIdFormat = (text) => {
  const canonical = text.toLowerCase()
  return isUuid(canonical) ? canonical : null
}

/**
 * A positive integer as decimal text, at most 19 digits, no leading zero.
 *
 * @example
 * createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'reject', idFormat: integerFormat })
 */
export const integerFormat: OrgIdFormat = (text) => (/^[1-9][0-9]{0,18}$/.test(text) ? text : null)

/**
 * A name of 1 to 64 characters `A-Z a-z 0-9 _ -`, case kept: what the shipped storages hold with `orgIds: 'host'`.
 *
 * @example
 * createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Environment')], whenUnnamed: 'reject', idFormat: slugFormat })
 */
export const slugFormat: OrgIdFormat = (text) => (isSlug(text) ? text : null)

/** Read every selector of a request into one selection: all that are named must be well-formed and agree. */
export function readSelection(
  request: AuthRequest,
  selectors: readonly OrgSelector[],
  toOrgId: OrgIdFormat,
): OrgSelection {
  let named: OrgSelection = UNNAMED
  for (const selector of selectors) {
    const lines = linesOf(request, selector)
    const line = lines[0]
    if (line === undefined) continue
    // A wildcard's parts are a list (Express 5): a format would read one of a single part as its text.
    const orgId = lines.length === 1 && typeof line === 'string' ? requireAtOnce(ID_FORMAT, toOrgId(line)) : null
    if (orgId === null) return { kind: 'malformed' }
    if (named.kind === 'unnamed') named = { kind: 'named', orgId }
    else if (named.kind === 'named' && named.orgId !== orgId) named = { kind: 'conflict' }
  }
  return named
}

/** What the option of an org resolver is called by which ids are read. */
export const ID_FORMAT = 'option "idFormat"'

const UNNAMED: OrgSelection = Object.freeze({ kind: 'unnamed' })

function linesOf(request: AuthRequest, selector: OrgSelector): readonly unknown[] {
  switch (selector.kind) {
    case 'header':
      return request.lines(selector.name)
    case 'pathParam':
      return [paramOf(request, selector.name)]
  }
}

/** The request header that a selector reads, which the answer varies by; `null`: none. */
export function headerOf(selector: OrgSelector): string | null {
  switch (selector.kind) {
    case 'header':
      return selector.name
    case 'pathParam':
      return null
  }
}

function paramOf({ params }: AuthRequest, name: string): unknown {
  const value: unknown = params !== null && Object.hasOwn(params, name) ? params[name] : undefined
  // A mistake of the host's routing, so a 500.
  if (value === undefined) {
    throw new Error(`sallyport: the route has no path parameter "${name}": put pathParam() on the route that has it`)
  }
  return value
}

/** How a selector of a route's `Access` is checked: of every kind. */
export function anOrgSelector(): OptionType<OrgSelector> {
  return aGroupOfKind<OrgSelector>({ header: headerShape, pathParam: pathParamShape })
}

/** How a selector of the org resolver is checked, which is read on every route: of no kind that only some routes have. */
export function aSelectorForAllRoutes(): OptionType<OrgSelector> {
  return aGroupOfKind<Exclude<OrgSelector, { readonly kind: 'pathParam' }>>({ header: headerShape })
}

const headerShape = () => ({ kind: oneOf('header'), name: aHeaderName() })
const pathParamShape = () => ({ kind: oneOf('pathParam'), name: aName() })
