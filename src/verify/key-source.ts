/**
 * Where a key set's keys come from: a JWK Set URL, or an issuer's metadata that names one. Hands on the keys, fetched and
 * imported once; when to ask is the key set's business.
 */
import { fetchFailure, fetchJsonObject } from '../lib/json-exchange.ts'
import { type Discovery, discoverUrl } from './discovery.ts'
import { importKeys, type PublicKey } from './jwk-import.ts'
import type { KeyAlgorithm } from './token-form.ts'

/** Fetch the keys, or throw. None at all are given for a well-formed empty set only. */
export type LoadKeys = (signal: AbortSignal) => Promise<readonly PublicKey[]>

/** The URL of a JWK Set, or whose metadata names it. */
export type KeyPlace = string | Omit<Discovery, 'member'>

const MAX_KEYS = 100

/**
 * Load keys for these algorithms. Metadata is asked for each time: servers move their keys, or name a false place for a while.
 * One request, with metadata two or three.
 */
export async function loadKeys(
  fetcher: typeof fetch,
  place: KeyPlace,
  algorithms: ReadonlySet<KeyAlgorithm>,
  signal: AbortSignal,
): Promise<readonly PublicKey[]> {
  const url = typeof place === 'string' ? place : await discoverUrl(fetcher, { ...place, member: 'jwks_uri' }, signal)
  const { keys: entries } = await fetchJsonObject(fetcher, url, signal)
  if (!Array.isArray(entries)) throw fetchFailure('no_keys_array', undefined, { url })
  if (entries.length > MAX_KEYS) throw fetchFailure('too_many_keys', undefined, { url })
  const keys = await importKeys(entries, algorithms)
  if (keys.length === 0 && entries.length > 0) throw fetchFailure('no_usable_key', undefined, { url })
  return keys
}
