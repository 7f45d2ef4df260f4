/** The UserInfo endpoint of OpenID Connect: what an issuer says of a person whose token says little. */
import type { Identity, Profile } from '../context.ts'
import { describeHost, describeHttpUrl, orLoopback } from '../lib/http-url.ts'
import { exchangeJson, fetchFailure } from '../lib/json-exchange.ts'
import { aFunction, aListOf, checkedBy, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { discoverUrl } from './discovery.ts'
import { ownOf, requireTokenForm } from './token-form.ts'

/** Options of {@link userInfo}; all have defaults. */
export interface UserInfoOptions {
  /** The endpoint. Default: the `userinfo_endpoint` that the metadata of the token's issuer names, asked for each time. */
  readonly url?: string | undefined
  /** Hosts in a private network that may be asked by plain http, as those of `createJwtVerifier`. Default: loopback hosts only. */
  readonly insecureHosts?: readonly string[] | undefined
  /** What asks. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

// As much as a header may hold: the token was verified.
const MAX_TOKEN_BYTES = 16_384

/**
 * Create what asks the UserInfo endpoint (OpenID Connect Core 1.0 §5.3) for e-mail, its verification and a name, for
 * `createProvisioner({ profile: { load: userInfo() } })`. The answer must be a JSON object of at most 256 KB about the token's
 * own `sub` (§5.3.2); `email_verified` counts where it is `true`. One request, with metadata two or three; no redirects.
 *
 * What it makes rejects where the endpoint can't be asked, answers anything but 200, or names another subject.
 *
 * @throws OptionsError a bad URL, an unknown option
 * @example
 * const users = createProvisioner({ storage, profile: { load: userInfo() } })
 */
export function userInfo(
  options: UserInfoOptions = {},
): (token: string, identity: Pick<Identity, 'issuer' | 'tokenIssuer'>, signal: AbortSignal) => Promise<Profile> {
  const { url, insecureHosts, fetch: fetcher = globalFetch } = parseOptions('userInfo', shape(options), options)
  const mayBeHttp = orLoopback(insecureHosts)
  return async (token, identity, signal) => {
    // Whoever signed a token knows it; another issuer, whose identity it names, does not.
    const issuer = identity.tokenIssuer ?? identity.issuer
    if (url === undefined && describeHttpUrl(issuer, mayBeHttp) !== null) throw fetchFailure('userinfo_issuer')
    const place = url ?? (await discoverUrl(fetcher, { issuer, member: 'userinfo_endpoint', mayBeHttp }, signal))
    const headers = { authorization: `Bearer ${token}` }
    const { status, body } = await exchangeJson(fetcher, { url: place, headers, read: [200] }, signal)
    if (typeof body === 'string') throw fetchFailure(`userinfo_${body === 'unread' ? status : body}`)
    const { sub, email, email_verified: verified, name } = body
    if (typeof sub !== 'string' || sub !== ownOf(requireTokenForm(token, MAX_TOKEN_BYTES).payload, 'sub')) {
      throw fetchFailure('userinfo_subject')
    }
    return {
      email: typeof email === 'string' ? email : undefined,
      emailVerified: verified === undefined ? undefined : verified === true,
      name: typeof name === 'string' ? name : undefined,
    }
  }
}

const globalFetch: typeof fetch = (input, init) => fetch(input, init)

const shape = ({ insecureHosts }: UserInfoOptions): Shape<UserInfoOptions> => ({
  url: optional(checkedBy((url) => describeHttpUrl(url, orLoopback(insecureHosts)))),
  insecureHosts: optional(aListOf(checkedBy(describeHost))),
  fetch: optional(aFunction()),
})
