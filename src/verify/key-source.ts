/**
 * Where a key set's keys come from: a JWK Set URL, or an issuer's metadata that names one (OpenID Connect Discovery).
 * Hands on a function that fetches and imports them once; when to call it is the key set's business.
 */
import { fetchFailure, fetchJsonObject } from '../lib/json-exchange.ts'
import { discoverUrl } from './discovery.ts'
import { importKeys, type KeyAlgorithm, type PublicKey } from './jwk-import.ts'

/** Fetch the keys, or throw. None at all are given for a well-formed empty set only. */
export type LoadKeys = (signal: AbortSignal) => Promise<readonly PublicKey[]>

const MAX_KEYS = 100

/** Load keys from a JWK Set URL: one request a call. */
export function loadFromUrl(fetcher: typeof fetch, url: URL, algorithms: ReadonlySet<KeyAlgorithm>): LoadKeys {
  return (signal) => fetchKeys(fetcher, url.href, algorithms, signal)
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
    const url = await discoverUrl(fetcher, { issuer, metadataUrl: metadataUrl.href, member: 'jwks_uri' }, signal)
    return fetchKeys(fetcher, url, algorithms, signal)
  }
}

async function fetchKeys(
  fetcher: typeof fetch,
  url: string,
  algorithms: ReadonlySet<KeyAlgorithm>,
  signal: AbortSignal,
): Promise<readonly PublicKey[]> {
  const { keys: entries } = await fetchJsonObject(fetcher, url, signal)
  if (!Array.isArray(entries)) throw fetchFailure('no_keys_array')
  if (entries.length > MAX_KEYS) throw fetchFailure('too_many_keys')
  const keys = await importKeys(entries, algorithms)
  if (keys.length === 0 && entries.length > 0) throw fetchFailure('no_usable_key')
  return keys
}
