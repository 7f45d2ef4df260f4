/** The options of a grant, judged once: who the machine account is, and where it signs in. */
import * as z from 'zod/mini'
import { parseHttpUrl } from '../lib/http-url.ts'
import { parseOptions } from '../lib/parse-options.ts'
import { describeEdges } from '../lib/secret-check.ts'

/** A machine account that is a user of a Supabase project: password grant, rotating refresh tokens. */
export interface SupabaseGrant {
  readonly kind: 'supabase'
  /** The project's URL, `https://<project>.supabase.co`. */
  readonly url: string
  /** The project's publishable (anon) key, sent as `apikey`. */
  readonly apiKey: string
  /** The machine account's e-mail. */
  readonly email: string
  /** Its password. */
  readonly password: string
}

/** A machine account that is an OAuth client: client credentials (RFC 6749 §4.4). */
export type ClientCredentialsGrant = {
  readonly kind: 'clientCredentials'
  readonly clientId: string
  readonly clientSecret: string
  /** How the client proves itself (RFC 6749 §2.3.1). Default `basic`; `post` sends id and secret in the body. */
  readonly clientAuth?: 'basic' | 'post' | undefined
  /** Scopes to ask for. Default: the issuer's own choice. */
  readonly scopes?: readonly string[] | undefined
  /** Resource indicators (RFC 8707): absolute URIs. */
  readonly resource?: string | readonly string[] | undefined
  /** The `audience` parameter that some issuers want instead. */
  readonly audience?: string | readonly string[] | undefined
} & (
  | {
      /** The token endpoint. */
      readonly tokenUrl: string
      readonly issuer?: undefined
    }
  | {
      /** The exact issuer; its token endpoint is looked up at the first use (OpenID Connect Discovery). */
      readonly issuer: string
      readonly tokenUrl?: undefined
    }
)

/** How the machine account gets its tokens. */
export type TokenGrant = SupabaseGrant | ClientCredentialsGrant

/** Judge a grant; `name` is what to call it in errors. No value is ever part of one. */
export function parseGrant(name: string, given: unknown): TokenGrant {
  const kind =
    typeof given === 'object' && given !== null && Object.hasOwn(given, 'kind') ? Reflect.get(given, 'kind') : null
  if (kind === 'supabase') return parseSupabase(name, given)
  if (kind === 'clientCredentials') return parseClientCredentials(name, given)
  throw new TypeError(`${name} must have a "kind": "supabase" or "clientCredentials"`)
}

function parseSupabase(name: string, given: unknown): SupabaseGrant {
  const shape = { kind: z.literal('supabase'), url: z.unknown(), apiKey: aKey(), email: aText(), password: aSecret() }
  const grant = parseOptions(name, shape, given)
  const url = parseHttpUrl(`${name}: option "url"`, grant.url)
  if (url.search !== '') throw new TypeError(`${name}: option "url" must not contain a query`)
  return { ...grant, url: url.href.replace(/\/$/, '') }
}

function parseClientCredentials(name: string, given: unknown): ClientCredentialsGrant {
  const shape = {
    kind: z.literal('clientCredentials'),
    clientId: aText(),
    clientSecret: aSecret(),
    clientAuth: z.optional(z.enum(['basic', 'post'])),
    scopes: z.optional(z.array(aScope())),
    resource: z.optional(z.union([aResource(), z.array(aResource())])),
    audience: z.optional(z.union([aText(), z.array(aText())])),
    tokenUrl: z.optional(z.unknown()),
    issuer: z.optional(z.unknown()),
  }
  const { tokenUrl, issuer, ...grant } = parseOptions(name, shape, given)
  if ((tokenUrl === undefined) === (issuer === undefined)) {
    throw new TypeError(`${name}: one of the options "tokenUrl" and "issuer" is required, not both`)
  }
  if (tokenUrl !== undefined) return { ...grant, tokenUrl: parseHttpUrl(`${name}: option "tokenUrl"`, tokenUrl).href }
  if (parseHttpUrl(`${name}: option "issuer"`, issuer).search !== '') {
    throw new TypeError(`${name}: option "issuer" must not contain a query`)
  }
  return { ...grant, issuer: issuer as string }
}

function aText() {
  return z.custom<string>(
    (value) => typeof value === 'string' && value.trim() !== '' && describeEdges(value) === null,
    'must be a string that is not blank, without white space or quotes around it',
  )
}

// The texts that unset variables turn into are refused: they would only be refused later, by the issuer, as a wrong secret.
function aSecret() {
  return z.custom<string>(
    (value) =>
      typeof value === 'string' &&
      value.trim() !== '' &&
      describeEdges(value) === null &&
      !/^(?:undefined|null|\[object object\])$/i.test(value),
    'must be a string that is not blank, nor the text of an unset variable, without white space or quotes around it',
  )
}

function aKey() {
  return z.custom<string>(
    (value) =>
      typeof value === 'string' &&
      /^[\x21-\x7e]+$/.test(value) &&
      describeEdges(value) === null &&
      !/^(?:undefined|null)$/i.test(value),
    'must be a string of visible ASCII characters without quotes around it, not the text of an unset variable',
  )
}

function aScope() {
  return z.custom<string>(
    (value) => typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value),
    'must be a scope token (RFC 6749 §3.3)',
  )
}

function aResource() {
  return z.custom<string>(
    (value) => typeof value === 'string' && URL.canParse(value) && !/[#\s]/.test(value),
    'must be an absolute URI without a fragment (RFC 8707)',
  )
}
