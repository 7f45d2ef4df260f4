/** The preset of Microsoft Entra ID. */
import { checkedBy, OptionsError, optional, optionsError, parseOptions, type Shape } from '../../lib/parse-options.ts'
import type { VerifiedClaims } from '../claims.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import {
  type Audience,
  aCheckedAudience,
  type PresetOptions,
  placesOf,
  presetShape,
  requireKind,
  textOf,
} from './preset.ts'

/** Options of {@link entra}: one of `tenant` and `tenants`. */
export interface EntraOptions extends PresetOptions {
  /** The id of your own tenant, a GUID. */
  readonly tenant?: string | undefined
  /**
   * The ids of the tenants whose people are let in; `any`: those of all organizations. Microsoft's tenant of personal accounts
   * (`9188040d-6c67-4c5b-b112-36a304b66dad`) is let in only where it is listed.
   */
  readonly tenants?: readonly string[] | 'any' | undefined
  /**
   * The client id of your API, which its v2.0 access tokens name. v1.0 ones (where requestedAccessTokenVersion of the API's
   * registration is null or 1) may name its Application ID URI instead; with `tenants` only v2.0 is taken.
   */
  readonly audience: Audience
}

const entraShape = (): Shape<EntraOptions> => ({
  tenant: optional(checkedBy(describeTenant)),
  tenants: optional(checkedBy(describeTenants)),
  audience: aCheckedAudience(),
  ...presetShape(),
})

const GUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i
const PERSONAL_ACCOUNTS = '9188040d-6c67-4c5b-b112-36a304b66dad'
const LOGIN = 'https://login.microsoftonline.com'

/**
 * Write the issuer of one Entra tenant, or of several. Access tokens for your API alone are let in: they name the client they
 * were given to, ID tokens don't. Whoever calls is named by `oid`, which is the same for all apps of a tenant (`sub` differs
 * from app to app), and by the tenant, which is in `identity.issuer`. Tokens of apps without a person have an `idtyp` of `app`
 * where the API's registration asks for it, and no `scp`; every app of a tenant can have one, so that those without a role of
 * yours (`roles`) are refused. An `email` is whatever a tenant's administrator writes: it is verified where the optional claim
 * `xms_edov` says so. Pure: nothing is fetched here.
 *
 * @returns issuer options. One tenant: `{ issuer: [v2.0, v1.0], keys: [{ kind: 'jwks', … }], audience, types: ['JWT'], claims, machine, accepts, people: 'own' }`;
 * several: `issuer: 'https://login.microsoftonline.com/{tid}/v2.0'`, `people: 'anybody'`
 * @throws OptionsError both of `tenant` and `tenants`, or neither; a domain, or `common`, for an id; Microsoft Graph's audience
 * @example
 * entra({ tenant: '8eaef023-2b34-4da1-9baa-8bc8c9d6a490', audience: '00001111-aaaa-2222-bbbb-3333cccc4444' })
 */
export function entra(options: EntraOptions): IssuerOptions {
  const { tenant, tenants, audience, claims } = parseOptions('entra', entraShape(), options)
  if ((tenant === undefined) === (tenants === undefined)) throw exactlyOne()
  const wrong = describeAudiences(audience, tenants !== undefined)
  if (wrong !== null) throw optionsError('entra', 'audience', wrong)
  const common = {
    audience,
    types: ['JWT'],
    claims: placesOf({ subject: 'oid', emailVerified: isDomainVerified }, claims),
    machine: isApp,
  }
  if (tenants === undefined) {
    const id = (tenant ?? '').toLowerCase()
    return {
      ...common,
      issuer: [`${LOGIN}/${id}/v2.0`, `https://sts.windows.net/${id}/`],
      keys: [{ kind: 'jwks', url: `${LOGIN}/${id}/discovery/v2.0/keys`, algorithms: ['RS256'] }],
      accepts: requireForApi,
      people: 'own',
    }
  }
  const listed = tenants === 'any' ? null : new Set(tenants.map((each) => each.toLowerCase()))
  return {
    ...common,
    issuer: `${LOGIN}/{tid}/v2.0`,
    keys: [{ kind: 'jwks', url: `${LOGIN}/common/discovery/v2.0/keys`, algorithms: ['RS256'] }],
    accepts(token) {
      requireKind(isOfTenant(textOf(token, 'tid'), listed), 'a tenant of `tenants`', `iss ${textOf(token, 'iss')}`)
      return requireForApi(token)
    },
    people: 'anybody',
  }
}

function exactlyOne(): OptionsError {
  const message = 'is to be given, or the other one of "tenant" and "tenants"'
  return new OptionsError('entra', [
    { option: 'tenant', message },
    { option: 'tenants', message },
  ])
}

function isOfTenant(tid: string, listed: ReadonlySet<string> | null): boolean {
  return listed === null ? GUID.test(tid) && tid !== PERSONAL_ACCOUNTS : listed.has(tid)
}

function isApp({ idtyp, scp }: VerifiedClaims): boolean {
  return idtyp === 'app' || scp === undefined
}

// v2.0 calls the client `azp`, v1.0 `appid`; in ID tokens it is the audience, and neither is there.
function requireForApi(token: VerifiedClaims): true {
  const { idtyp, scp, roles } = token
  const hasClient = textOf(token, 'azp') !== '' || textOf(token, 'appid') !== ''
  requireKind(hasClient, 'azp or appid, as access tokens have', 'neither: an ID token?')
  const isOfApp = isApp(token)
  requireKind(idtyp === undefined || idtyp === (isOfApp ? 'app' : 'user'), 'an idtyp of user or app', 'another idtyp')
  if (isOfApp) requireKind(Array.isArray(roles) && roles.length > 0, 'roles, of an app without a person', 'no roles')
  else requireKind(scp !== '', 'scp', 'an empty scp')
  return true
}

// Written as a boolean or as text.
function isDomainVerified({ xms_edov }: VerifiedClaims): unknown {
  return xms_edov === '1' || xms_edov === 1 ? true : xms_edov
}

function describeTenant(value: unknown): string | null {
  return typeof value === 'string' && GUID.test(value)
    ? null
    : 'must be the id of a tenant, a GUID: tokens know neither its domain nor "common", "organizations" and "consumers"'
}

function describeTenants(value: unknown): string | null {
  if (value === 'any') return null
  if (!Array.isArray(value) || value.length === 0) return 'must be "any", or a list of tenants'
  return value.map(describeTenant).find((wrong) => wrong !== null) ?? null
}

function describeAudiences(audience: Audience, isV2Only: boolean): string | null {
  const names = [audience].flat()
  if (
    names.some((name) => /^https:\/\/graph\.(?:microsoft|windows)\.|^0000000[23]-0000-0000-c000-0{12}$/i.test(name))
  ) {
    return "is Microsoft Graph's, whose access tokens nobody else can verify: ask for a scope of your own API"
  }
  return isV2Only && !names.every((name) => GUID.test(name))
    ? 'must be the client id of your API, a GUID, which is what v2.0 access tokens name'
    : null
}
