/** What the doctor asks, as data: each check by itself, whatever becomes of the others, and whom a failure would hit. */
import { nearMissOf, toSpan } from '../explain/near-misses.ts'
import { createJwtVerifier, type IssuerOptions, isAuthError } from '../index.ts'
import { type FetchFault, faultOf, fetchJsonObject } from '../lib/json-exchange.ts'
import { toLogText } from '../lib/log-text.ts'
import { describeCause } from '../lib/standard-error.ts'
import { isTransientError } from '../storage/index.ts'
import type { Check } from './checks.ts'
import type { DoctorParts } from './doctor-config.ts'

/** What the doctor asks by. */
export interface Practice extends DoctorParts {
  /** Whether a config was given, which may have left something out. */
  readonly hasConfig: boolean
  readonly fetch: typeof fetch
  readonly now: () => number
  readonly insecureHosts?: readonly string[] | undefined
}

/** One thing to ask; a list, where there is one answer for each issuer. */
export interface DoctorCheck {
  readonly name: string
  /** `null`: there is nothing to ask. */
  ask(practice: Practice): Promise<Check | readonly Check[] | null>
}

/** All that is asked, in the order it is printed. */
export const DOCTOR_CHECKS: readonly DoctorCheck[] = [
  unasked('issuers', ({ issuers }) => issuers.length === 0, {
    of: 'metadata, keys, audience and clock are',
    try: '`export const issuers = […]`, and `createAuth({ issuers, … })`',
  }),
  { name: 'metadata', ask: ofEachIssuer(askMetadata) },
  { name: 'keys', ask: ofEachIssuer(askKeys) },
  { name: 'audience', ask: ofEachIssuer(askAudience) },
  { name: 'clock', ask: askClock },
  { name: 'auth', ask: askAuth },
  unasked('auth', ({ auth }) => auth === null, {
    of: 'whether it is ready is',
    try: '`export const auth = createAuth({ … })`',
  }),
  { name: 'storage', ask: askStorage },
  unasked('storage', ({ storage }) => storage === null, {
    of: 'whether it answers is',
    try: '`export const storage = …`',
  }),
  { name: 'migrations', ask: askMigrations },
  unasked('database', ({ migrations }) => migrations === null, {
    of: 'migrations, roles and policies are',
    try: '`export const pool = …` or `database`, unless the tables are your own',
  }),
  { name: 'roles', ask: askRoles },
  // Without a database its line says so.
  unasked(
    'roles',
    ({ roles, storedRoles, hasCustomRoles }) => roles === null && storedRoles !== null && !hasCustomRoles,
    {
      of: 'whether memberships have others is',
      try: '`export const roles = […]`, and `createAuth({ roles, … })`',
    },
  ),
  { name: 'policies', ask: askPolicies },
]

// What a config leaves out is no fault, and is said: nothing of it was asked.
function unasked(
  name: string,
  isMissing: (practice: Practice) => boolean,
  { of, try: next }: { readonly of: string; readonly try: string },
): DoctorCheck {
  const check: Check = { name, state: 'skipped', says: `the config exports none: ${of} not asked`, try: next }
  return { name, ask: async (practice) => (practice.hasConfig && isMissing(practice) ? check : null) }
}

type AskIssuer = (issuer: IssuerOptions, practice: Practice) => Promise<Check | null>

function ofEachIssuer(ask: AskIssuer): DoctorCheck['ask'] {
  return async (practice) => {
    const answers = await Promise.all(practice.issuers.map((issuer) => ask(issuer, practice)))
    return answers.filter((answer) => answer !== null)
  }
}

function nameOf({ issuer }: IssuerOptions): string {
  return toLogText(Array.isArray(issuer) ? issuer[0] : issuer) ?? 'any issuer'
}

function describeFault(url: string, { asked, cause, status, reason }: FetchFault): string {
  return `${asked ?? url}: ${cause ?? (status === null || status === 200 ? reason : status)}`
}

const METADATA_MS = 5000

// What a document of metadata says of its issuer is what its tokens say, too.
async function askMetadata(options: IssuerOptions, { fetch }: Practice): Promise<Check | null> {
  const name = 'metadata'
  const [issuer] = [options.issuer].flat()
  const isFound = options.keys.some(({ kind }) => kind === 'discovery')
  if (issuer == null || !/^https?:\/\//i.test(issuer) || issuer.includes('{')) return null
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await fetchJsonObject(fetch, url, AbortSignal.timeout(METADATA_MS)).then(
    (document) => ({ named: document['issuer'] }),
    (error: unknown) => ({ says: describeFault(url, faultOf(error)), isAnswered: faultOf(error).status !== null }),
  )
  // Where the keys are found by it, what fails is told of them.
  if ('says' in answer) {
    const { says, isAnswered } = answer
    return {
      name,
      state: isFound || isAnswered ? 'skipped' : 'unknown',
      says: isFound ? says : `${says}; its keys are named without it`,
    }
  }
  const { named } = answer
  if (named === issuer) return { name, state: 'passes', says: `${issuer} calls itself so` }
  const got = toLogText(named) ?? 'nobody'
  const near = nearMissOf('token_issuer_unknown', issuer, got)
  const next = `everybody of it is answered 401 token_issuer_unknown${near === null ? '' : `: ${near}`}`
  return {
    name,
    state: 'refused',
    says: `it calls itself "${got}", trusted is "${issuer}"`,
    reason: 'token_issuer_unknown',
    try: next,
  }
}

async function askKeys(options: IssuerOptions, practice: Practice): Promise<Check> {
  const name = 'keys'
  const said: string[] = []
  let counted = 0
  const verifier = createJwtVerifier({
    issuers: [options],
    fetch: practice.fetch,
    insecureHosts: practice.insecureHosts,
    onKeyEvent(event) {
      if (event.type === 'fetch_ok') counted += event.keys
      if (event.type === 'fetch_failed') {
        said.push(describeFault(event.url, event))
      }
    },
  })
  await verifier.warmUp?.()
  const isReady = verifier.readiness?.().isReady === true
  verifier.close?.()
  const kinds = options.keys.map((source) =>
    source.kind === 'secret' ? 'a shared secret' : 'keys' in source ? 'keys written out' : `${counted} from its server`,
  )
  if (said.length === 0 && isReady) return { name, state: 'passes', says: `${nameOf(options)}: ${kinds.join(', ')}` }
  const whom = `everybody of ${nameOf(options)} whose token needs them is answered 503 keys_unavailable`
  return { name, state: 'refused', says: said.join(', ') || 'no key of use', reason: 'key_servers_failing', try: whom }
}

async function askAudience(options: IssuerOptions): Promise<Check> {
  const name = 'audience'
  const { audience } = options
  const party = audience === null ? (partyOf(options) ?? clientOf(options)) : null
  if (party !== null) return { name, state: 'passes', says: `${nameOf(options)}: by ${party}` }
  if (audience === null) {
    const next = 'name the audience of this API, unless this issuer signs for nobody else'
    return {
      name,
      state: 'warning',
      says: `${nameOf(options)}: not checked, tokens for other services pass`,
      try: next,
    }
  }
  return { name, state: 'passes', says: `${nameOf(options)}: ${toLogText([audience].flat().join(', '))}` }
}

const ANOTHER = 'https://another.invalid'
const TOKEN_OF_ANOTHER = { sub: 'user_another', sid: 'another', token_use: 'access', azp: ANOTHER, client_id: ANOTHER }

// For whom the tokens of a preset must be that have no audience: the rule says so of a token for another party.
function partyOf({ accepts }: IssuerOptions): string | null {
  try {
    accepts?.(TOKEN_OF_ANOTHER)
    return null
  } catch (error) {
    const expected = isAuthError(error) ? error.expected : null
    return /^(?:azp|client_id) /.test(expected ?? '') ? toLogText(expected) : null
  }
}

// Or the keys are those of one client, which their address and the issuer name.
function clientOf({ issuer, keys }: IssuerOptions): string | null {
  const [client] = /(?<=\/)(?:client|project)_[A-Za-z\d]+/.exec([issuer].flat()[0] ?? '') ?? []
  const isOfClient = (source: (typeof keys)[number]): boolean =>
    'url' in source && source.url?.endsWith(`/${client}`) === true
  return client !== undefined && keys.length > 0 && keys.every(isOfClient) ? `the keys of ${client} alone` : null
}

const LEEWAY_SECONDS = 5

// By what servers say the time is.
async function askClock({ issuers, fetch, now }: Practice): Promise<Check | null> {
  const name = 'clock'
  const urls = issuers.flatMap(({ issuer, keys }) =>
    [...keys.map((source) => ('url' in source ? source.url : undefined)), [issuer].flat()[0]].find((url) =>
      /^https?:/.test(url ?? ''),
    ),
  )
  const [url] = urls
  if (url == null) return null
  const answer = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(METADATA_MS),
  }).catch(() => null)
  const theirs = Date.parse(answer?.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return { name, state: 'skipped', says: 'no server said what time it is' }
  const ahead = Math.round((now() - theirs) / 1000)
  const host = new URL(url).host
  if (Math.abs(ahead) <= LEEWAY_SECONDS) return { name, state: 'passes', says: `as ${host} has it` }
  const says = `this machine is ${toSpan(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} ${host}`
  const next =
    ahead > 0
      ? 'tokens are answered 401 token_expired too early: set the clock'
      : 'fresh tokens are answered 401 token_issued_in_future: set the clock'
  return {
    name,
    state: 'refused',
    says,
    reason: ahead > 0 ? 'token_expiry_passed' : 'token_issued_in_future',
    try: next,
  }
}

async function askAuth({ auth }: Practice): Promise<Check | null> {
  if (auth === null) return null
  const name = 'auth'
  await auth.warmUp()
  const { isReady, down } = auth.readiness()
  if (isReady && down.length === 0) return { name, state: 'passes', says: 'ready' }
  const who = down.map((issuer) => toLogText(issuer) ?? 'the only issuer').join(', ')
  const says = who === '' ? 'not ready: an issuer has no key of use' : `the keys of ${who} can’t be had`
  return {
    name,
    state: 'refused',
    says,
    reason: 'key_servers_failing',
    try: 'whom they sign for is answered 503 keys_unavailable',
  }
}

// Nobody has this identity: finding nobody is all that is asked.
const NOBODY = { issuer: 'sallyport doctor', subject: 'nobody' }

async function askStorage({ storage }: Practice): Promise<Check | null> {
  if (storage === null) return null
  const name = 'storage'
  try {
    await storage.users.findByIdentity(NOBODY, { kind: 'unnamed' })
    return { name, state: 'passes', says: 'it answers' }
  } catch (error) {
    const passes = isTransientError(error)
    const [status, reason] = passes ? ['503', 'storage_unavailable'] : ['500', 'internal_error']
    const next = `every request that needs a user is answered ${status}${passes ? '' : '; are its tables there? sallyport migrate up'}`
    return { name, state: 'refused', says: `it fails: ${describeCause(error)}`, reason, try: next }
  }
}

async function askMigrations({ migrations }: Practice): Promise<Check | null> {
  if (migrations === null) return null
  const name = 'migrations'
  const list = await migrations()
  const pending = list.filter(({ appliedAt }) => appliedAt === null)
  if (pending.length === 0) return { name, state: 'passes', says: `all ${list.length} have been run` }
  const says = `${pending.length} of ${list.length} are pending: ${pending.map(({ id }) => id).join(', ')}`
  const next = 'sallyport migrate up, unless the tables are your own'
  return { name, state: 'refused', says, reason: 'internal_error', try: next }
}

async function askRoles({ roles, storedRoles }: Practice): Promise<Check | null> {
  if (roles === null || storedRoles === null) return null
  const name = 'roles'
  const unknown = (await storedRoles()).filter(({ role }) => !roles.includes(role))
  if (unknown.length === 0) return { name, state: 'passes', says: 'every stored role is one of them' }
  const stored = unknown.map(({ role, count }) => `${toLogText(role)} (${count})`).join(', ')
  const near = nearMissOf('role_unknown', roles.join(', '), unknown[0]?.role ?? '')
  const next = `whoever has it is answered 403 role_unknown${near === null ? '' : `: ${near}`}`
  const says = `memberships have ${stored}, there are ${roles.join(', ')}`
  return { name, state: 'refused', says, reason: 'role_unknown', try: next }
}

const ROLE_SQL = 'SELECT rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = current_user'
const POLICY_SQL = `SELECT c.oid::regclass::text AS name, bool_and(c.relrowsecurity) AS enabled, bool_and(c.relforcerowsecurity) AS forced
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid GROUP BY c.oid ORDER BY 1`

// A policy that binds nobody refuses nothing: other organizations’ rows are seen.
async function askPolicies({ pool }: Practice): Promise<Check | null> {
  if (pool === null) return null
  const name = 'policies'
  const { rows } = await pool.query(POLICY_SQL)
  if (rows.length === 0) return { name, state: 'skipped', says: 'no table has one' }
  const open = rows
    .filter(({ enabled, forced }) => enabled !== true || forced !== true)
    .map((row) => String(row['name']))
  if (open.length > 0) {
    const next = 'run what policySql prints: ENABLE and FORCE ROW LEVEL SECURITY'
    return { name, state: 'refused', says: `they do not bind their owner on ${open.join(', ')}`, try: next }
  }
  const says = `on ${rows.length} ${rows.length === 1 ? 'table' : 'tables'}, enabled and forced`
  const [role] = (await pool.query(ROLE_SQL)).rows
  if (role?.['free'] !== true) return { name, state: 'passes', says }
  const next = 'connect as a role without SUPERUSER and BYPASSRLS, or give withOrgScope a role'
  return { name, state: 'warning', says: `${says}; this connection’s role is bound by none`, try: next }
}
