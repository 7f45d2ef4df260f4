/** The document that says what is protected here, and where tokens for it are to be had (RFC 9728), as a Route. */
import { describeExactUrl } from '../lib/http-url.ts'
import {
  aFilledListOf,
  aName,
  aScope,
  checkedBy,
  isRoutePath,
  type OptionType,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import type { Route } from '../route.ts'
import { jsonResponse } from './json-response.ts'

/** Options of {@link protectedResourceMetadata}. */
export interface ProtectedResourceMetadataOptions {
  /**
   * The URL by which clients know what is protected, and which their tokens name as audience (RFC 8707): that of the API or
   * the MCP server, `https://api.example.com/mcp` say, as they write it. Its path is plain segments, without a slash at the
   * end; it has no query.
   */
  readonly resource: string
  /** Who issues tokens for it: issuer identifiers (RFC 8414 §2), as in `issuers`; at least one. */
  readonly authorizationServers: readonly string[]
  /** The scopes that its routes may ask. Default: the document says nothing of them. */
  readonly scopes?: readonly string[] | undefined
  /** What it is called, for people. */
  readonly name?: string | undefined
  /** The URL of a page for who writes clients. */
  readonly documentation?: string | undefined
  /** The URL of a page about how clients may use its data. */
  readonly policy?: string | undefined
  /** The URL of its terms of service. */
  readonly termsOfService?: string | undefined
}

/** The Route of the document, and where it is from outside. */
export interface ProtectedResourceMetadata extends Route {
  /** The document's URL, for `challenge.resourceMetadata` of `createAuth`. */
  readonly url: string
}

/**
 * Make the Route of a protected resource's metadata (RFC 9728 §3): `/.well-known/oauth-protected-resource`, followed by the
 * path of the resource. Mount it at the root of the host that the resource names. It is public; pages of every origin may
 * read it. It costs nothing but the answer, which caches may keep for five minutes.
 *
 * Tokens come in `Authorization` alone (`bearer_methods_supported`); which of them are accepted is said by `issuers`, here is
 * only told where to ask for one.
 *
 * @throws OptionsError for a missing, misspelt or wrong option
 * @example
 * const metadata = protectedResourceMetadata({
 *   resource: 'https://api.example.com/mcp',
 *   authorizationServers: ['https://login.example.com'],
 *   scopes: ['notes:read', 'notes:write'],
 * })
 * const auth = createAuth({ issuers, challenge: { scope: 'asked', resourceMetadata: metadata.url } })
 * createAdapter(auth).mount(app, [metadata])
 */
export function protectedResourceMetadata(options: ProtectedResourceMetadataOptions): ProtectedResourceMetadata {
  const parsed = parseOptions('protectedResourceMetadata', shape(), options)
  const { origin, pathname } = new URL(parsed.resource)
  const path = `/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
  // What was left out is undefined, and JSON leaves it out.
  const document = {
    resource: parsed.resource,
    authorization_servers: parsed.authorizationServers,
    scopes_supported: parsed.scopes,
    bearer_methods_supported: ['header'],
    resource_name: parsed.name,
    resource_documentation: parsed.documentation,
    resource_policy_uri: parsed.policy,
    resource_tos_uri: parsed.termsOfService,
  }
  const response = jsonResponse(200, document, [
    ['Access-Control-Allow-Origin', '*'],
    ['Cache-Control', 'public, max-age=300'],
  ])
  return Object.freeze({
    method: 'GET',
    path,
    access: 'public',
    handle: () => response,
    url: `${origin}${path}`,
  } as const)
}

// A list without an entry would tell less than none (RFC 9728 §3.2).
const shape = (): Shape<ProtectedResourceMetadataOptions> => ({
  resource: checkedBy(describeResource),
  authorizationServers: aFilledListOf(checkedBy(describeIssuer)),
  scopes: optional(aFilledListOf(aScope())),
  name: optional(aName()),
  documentation: optional(aPage()),
  policy: optional(aPage()),
  termsOfService: optional(aPage()),
})

function aPage(): OptionType<string> {
  return checkedBy(describeExactUrl)
}

function describeIssuer(text: unknown): string | null {
  return describeExactUrl(text) ?? ((text as string).includes('?') ? 'must not contain a query' : null)
}

// A Route has a path of whole segments and is found without its query.
function describeResource(text: unknown): string | null {
  const wrong = describeIssuer(text)
  if (wrong !== null) return wrong
  const { pathname } = new URL(text as string)
  const isLiteral = isRoutePath(pathname) && !pathname.includes(':')
  return isLiteral ? null : 'must have a path of plain segments (letters, digits and ._~-), without a slash at the end'
}
