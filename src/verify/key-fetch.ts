/**
 * Ask a server for a JSON document under hard limits: time, size after decompression, status 200, no redirects.
 * Hands on an object, or throws a failure named by one word; what to make of it is the key set's business.
 */
import { readBounded } from '../lib/bounded-body.ts'
import { noStore } from '../lib/no-store.ts'

/** All a key server gets, from the first byte out to the last byte in. */
export const FETCH_LIMIT_SECONDS = 5
const MAX_BYTES: number = 256 * 1024
const FAILURE = 'KeyFailure'

/** Make a failure; `word` says which, for events and logs. */
export function keyFailure(word: string, cause?: unknown): Error {
  const error = new Error(word, cause === undefined ? undefined : { cause })
  error.name = FAILURE
  return error
}

/** The word of a failure; `network` for whatever `fetch` itself throws. */
export function failureWord(error: unknown): string {
  return error instanceof Error && error.name === FAILURE ? error.message : 'network'
}

/** Fetch a JSON object. One request, no retry. */
export async function fetchJsonObject(fetcher: typeof fetch, url: URL, signal: AbortSignal): Promise<object> {
  const headers = { accept: 'application/json' }
  const response = await fetcher(url.href, { headers, redirect: 'manual', signal, ...noStore() })
  if (response.status !== 200 || response.redirected) {
    // Frees the connection; what the body holds doesn't matter, nor whether it can be cancelled.
    response.body?.cancel().catch(() => {})
    throw keyFailure(response.status >= 300 && response.status < 400 ? 'redirect' : 'status')
  }
  const bytes = await readBounded(response, MAX_BYTES)
  if (bytes === null) throw keyFailure('too_large')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw keyFailure('not_json', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw keyFailure('not_object')
  return value
}
