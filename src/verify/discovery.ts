/** OpenID Connect Discovery: a URL that an issuer's metadata names. Hands on a URL that may be trusted as far as the issuer. */
import { parseNamedUrl } from '../lib/http-url.ts'
import { fetchFailure, fetchJsonObject } from '../lib/json-exchange.ts'

/** Which URL to find in whose metadata. */
export interface Discovery {
  readonly issuer: string
  /** Where the metadata lies. Default: {@link toMetadataUrl}. */
  readonly metadataUrl?: string | undefined
  /** The member that holds the URL. */
  readonly member: 'jwks_uri' | 'token_endpoint'
}

/**
 * Find a URL that an issuer's metadata names (OpenID Connect Discovery 1.0 §4.3): the metadata must name exactly this
 * issuer, or it is somebody else's, and the URL must be no weaker than where it was found. One request.
 */
export async function discoverUrl(
  fetcher: typeof fetch,
  { issuer, metadataUrl = toMetadataUrl(issuer), member }: Discovery,
  signal: AbortSignal,
): Promise<string> {
  const document = await fetchJsonObject(fetcher, metadataUrl, signal)
  if (document['issuer'] !== issuer) throw fetchFailure('metadata_issuer')
  try {
    return parseNamedUrl(member, document[member], issuer, metadataUrl).href
  } catch (cause) {
    throw fetchFailure(`metadata_${member}`, cause)
  }
}

/** The well-known place of an issuer's metadata (OpenID Connect Discovery 1.0 §4.1). */
export function toMetadataUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}
