/** An issuer's metadata (OpenID Connect Discovery, RFC 8414): a URL that it names. Hands on one that may be trusted as far as the issuer. */
import { parseNamedUrl } from '../lib/http-url.ts'
import { fetchFailure, fetchJsonObject } from '../lib/json-exchange.ts'

/** Which URL to find in whose metadata. */
export interface Discovery {
  readonly issuer: string
  /** Where the metadata lies. Default: {@link toMetadataUrls}, one after the other. */
  readonly metadataUrl?: string | undefined
  /** The member that holds the URL. */
  readonly member: 'jwks_uri' | 'token_endpoint' | 'userinfo_endpoint'
  /** Hosts to which plain http may lead. Default: loopback hosts. */
  readonly mayBeHttp?: ((hostname: string) => boolean) | undefined
}

/**
 * Find a URL that an issuer's metadata names (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3): the metadata must name
 * exactly this issuer, or it is somebody else's, and the URL must be no weaker than where it was found. One request, two where
 * the issuer has no metadata of OpenID Connect.
 */
export async function discoverUrl(
  fetcher: typeof fetch,
  { issuer, metadataUrl, member, mayBeHttp }: Discovery,
  signal: AbortSignal,
): Promise<string> {
  const [url, orElse] = metadataUrl === undefined ? toMetadataUrls(issuer) : [metadataUrl]
  const document = await fetchJsonObject(fetcher, url, signal, orElse)
  if (document['issuer'] !== issuer) throw fetchFailure('metadata_issuer', undefined, { url })
  try {
    return parseNamedUrl(member, document[member], [issuer, url], mayBeHttp).href
  } catch (cause) {
    throw fetchFailure(`metadata_${member}`, cause, { url })
  }
}

/**
 * The well-known places of an issuer's metadata: that of OpenID Connect behind its name (Discovery 1.0 §4.1), that of OAuth
 * before the path in it (RFC 8414 §3.1).
 */
export function toMetadataUrls(issuer: string): readonly [openid: string, oauth: string] {
  const name = issuer.replace(/\/$/, '')
  const [, origin = name, path = ''] = /^([a-z]+:\/\/[^/?#]+)(.*)$/i.exec(name) ?? []
  return [`${name}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}
