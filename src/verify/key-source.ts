/**
 * Where a key set's keys come from: a JWK Set URL, or an issuer's metadata that names one (OpenID Connect Discovery).
 * Hands on a function that fetches and imports them once; when to call it is the key set's business.
 */
import { parseNamedUrl } from '../lib/http-url.ts'
import { importKeys, type KeyAlgorithm, type PublicKey } from './jwk-import.ts'
import { fetchJsonObject, keyFailure } from './key-fetch.ts'
import { ownOf } from './token-form.ts'

/** Fetch the keys, or throw. None at all are given for a well-formed empty set only. */
export type LoadKeys = (signal: AbortSignal) => Promise<readonly PublicKey[]>

const MAX_KEYS = 100

/** Load keys from a JWK Set URL: one request a call. */
export function loadFromUrl(fetcher: typeof fetch, url: URL, algorithms: ReadonlySet<KeyAlgorithm>): LoadKeys {
  return (signal) => fetchKeys(fetcher, url, algorithms, signal)
}

/**
 * Load keys from the JWK Set that an issuer's metadata names. The metadata must name exactly this issuer (OpenID Connect
 * Discovery 1.0 §4.3), and a URL no weaker than the issuer's own. It is asked for each time: servers move their keys, or
 * name a false place for a while. Two requests a call.
 */
export function loadByDiscovery(
  fetcher: typeof fetch,
  issuer: string,
  metadataUrl: URL,
  algorithms: ReadonlySet<KeyAlgorithm>,
): LoadKeys {
  return async (signal) => {
    const url = await findKeysUrl(fetcher, issuer, metadataUrl, signal)
    return fetchKeys(fetcher, url, algorithms, signal)
  }
}

async function findKeysUrl(fetcher: typeof fetch, issuer: string, metadata: URL, signal: AbortSignal): Promise<URL> {
  const document = await fetchJsonObject(fetcher, metadata, signal)
  if (ownOf(document, 'issuer') !== issuer) throw keyFailure('metadata_issuer')
  try {
    return parseNamedUrl('jwks_uri', ownOf(document, 'jwks_uri'), issuer, metadata.href)
  } catch (cause) {
    throw keyFailure('metadata_jwks_uri', cause)
  }
}

async function fetchKeys(
  fetcher: typeof fetch,
  url: URL,
  algorithms: ReadonlySet<KeyAlgorithm>,
  signal: AbortSignal,
): Promise<readonly PublicKey[]> {
  const entries = ownOf(await fetchJsonObject(fetcher, url, signal), 'keys')
  if (!Array.isArray(entries)) throw keyFailure('no_keys_array')
  if (entries.length > MAX_KEYS) throw keyFailure('too_many_keys')
  const keys = await importKeys(entries, algorithms)
  if (keys.length === 0 && entries.length > 0) throw keyFailure('no_usable_key')
  return keys
}
