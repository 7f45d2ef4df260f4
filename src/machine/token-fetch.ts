/**
 * `fetch` with the token of a machine account: to the allowed origins only, once more with another token after a 401.
 * Hands on the service's own answer, whatever it is.
 */
import { type CallOutside, type Reply, sendCall, toOutgoingCall } from './outgoing-call.ts'
import type { Renewal } from './renewal.ts'
import { TokenClientError, toTokenFailure } from './token-client-error.ts'

/** Make the wrapped `fetch`. */
export function createTokenFetch(
  renewal: Renewal,
  origins: ReadonlySet<string>,
  outside: CallOutside,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const call = toOutgoingCall(input, init)
    if (!origins.has(call.url.origin)) {
      throw new TokenClientError(toTokenFailure('origin_not_allowed', 'origin_not_named'))
    }
    const token = await unlessAborted(renewal.token(), call.signal)
    const reply = await sendCall(call, token, outside)
    if (!isRefused(reply)) {
      noteAccepted(renewal, token, reply)
      return reply.response
    }
    const other = renewal.replace(token)
    // What was streamed is gone; later calls get the other token.
    if (!call.repeatable) return reply.response
    const replaced = await unlessAborted(other, call.signal)
    if (replaced === null) return reply.response
    reply.response.body?.cancel().catch(() => {})
    const second = await sendCall(call, replaced, outside)
    if (isRefused(second)) renewal.refusedAgain()
    else noteAccepted(renewal, replaced, second)
    return second.response
  }
}

function isRefused({ response, bore }: Reply): boolean {
  return bore && response.status === 401
}

// A gateway that answers 502 has not looked at the token.
function noteAccepted(renewal: Renewal, token: string, { response, bore }: Reply): void {
  if (bore && response.status < 500) renewal.accepted(token)
}

// A renewal belongs to everybody: who gives up waiting for it does not end it.
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return await work
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
