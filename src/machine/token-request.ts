/**
 * Ask a token endpoint: one POST under hard limits, no redirects, no judgement. Hands on the answer as it came; what it
 * means is the business of `token-answer`.
 */
import { readBounded } from '../lib/bounded-body.ts'
import { noStore } from '../lib/no-store.ts'
import { type TokenFailure, toTokenFailure } from './token-client-error.ts'

/** A request to a token endpoint. It holds secrets: never print one. */
export interface TokenRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a token endpoint answered. */
export interface TokenAnswer {
  readonly status: number
  /** The `Retry-After` header. */
  readonly retryAfter: string | null
  /** The body; `null` where it was larger than a token answer may be. */
  readonly bytes: Uint8Array | null
}

const MAX_BYTES: number = 256 * 1024

/** Send a token request. Throws whatever `fetcher` throws: see {@link describeThrown}. */
export async function sendTokenRequest(
  fetcher: typeof fetch,
  { url, headers, body }: TokenRequest,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const response = await fetcher(url, {
    method: 'POST',
    headers: { accept: 'application/json', ...headers },
    body,
    redirect: 'manual',
    signal,
    ...noStore(),
  })
  // A fetch function that followed a redirect all the same has taken the secret elsewhere: nothing from there counts.
  const status = response.redirected || response.type === 'opaqueredirect' ? 302 : response.status
  return { status, retryAfter: response.headers.get('retry-after'), bytes: await readBounded(response, MAX_BYTES) }
}

/** Say what a throw of `fetch` means, in our words: the code of the system at most, never its message. */
export function describeThrown(error: unknown): TokenFailure {
  return toTokenFailure('token_unavailable', 'network', { systemCode: systemCodeOf(error) })
}

function systemCodeOf(error: unknown): string | null {
  for (const one of [error, memberOf(error, 'cause')]) {
    const code = memberOf(one, 'code')
    if (typeof code === 'string' && /^(?:E[A-Z_0-9]+|UND_ERR_[A-Z_]+|(?:[A-Z]+_)*CERT(?:_[A-Z]+)*)$/.test(code)) {
      return code.slice(0, 48)
    }
  }
  return null
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
