/**
 * `fetch` with the token of a machine account: to the allowed origins only, once more with another token after a 401.
 * Redirects are followed here, hop by hop, because runtimes differ in what they carry along. Hands on the service's own
 * answer, whatever it is.
 */
import { withDeadline } from '../lib/time.ts'
import type { Renewal } from './renewal.ts'
import { TokenClientError, toTokenFailure } from './token-client-error.ts'

interface CallOutside {
  readonly fetcher: typeof fetch
  /** How long to wait for the head of an answer; `null` for ever. The body has no limit. */
  readonly timeoutSeconds: number | null
}

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

// A call, taken from the arguments of `fetch`: it can be sent once or twice.
interface OutgoingCall {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: BodyInit | null
  /** The body can be sent twice, or there is none. */
  readonly repeatable: boolean
  readonly redirect: RequestRedirect
  readonly signal: AbortSignal | null
  /** Whatever else the caller passed (`keepalive`, a dispatcher). */
  readonly rest: Readonly<RequestInit>
}

interface Reply {
  readonly response: Response
  /** The hop that answered got the token. */
  readonly bore: boolean
}

const MAX_REDIRECTS = 20

// Throws what `fetch` would: `TypeError` for a URL that is none.
function toOutgoingCall(input: string | URL | Request, init: RequestInit = {}): OutgoingCall {
  const base = input instanceof Request ? input : null
  const { method, headers, body, redirect, signal, ...rest } = init
  const sent = body ?? base?.body ?? null
  return {
    url: new URL(base?.url ?? String(input)),
    method: (method ?? base?.method ?? 'GET').toUpperCase(),
    headers: new Headers(headers ?? base?.headers),
    body: sent,
    repeatable: sent === null || isRepeatable(sent),
    redirect: redirect ?? base?.redirect ?? 'follow',
    signal: signal ?? base?.signal ?? null,
    rest,
  }
}

function isRepeatable(body: BodyInit): boolean {
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return true
  return [URLSearchParams, FormData, Blob, ArrayBuffer].some((kind) => body instanceof kind)
}

// The first redirect to another origin drops the token for good.
async function sendCall(call: OutgoingCall, token: string, outside: CallOutside): Promise<Reply> {
  const bearing = new Headers(call.headers)
  bearing.set('authorization', `Bearer ${token}`)
  let hop: OutgoingCall = { ...call, headers: bearing }
  let bore = true
  for (let redirects = 0; ; redirects += 1) {
    const response = await sendHop(hop, outside)
    const next = call.redirect === 'follow' ? nextHop(hop, response) : null
    if (next === null) return { response, bore }
    response.body?.cancel().catch(() => {})
    if (redirects === MAX_REDIRECTS) throw new TypeError('fetch of a token client: too many redirects')
    bore &&= next.url.origin === hop.url.origin
    hop = next
  }
}

async function sendHop(hop: OutgoingCall, { fetcher, timeoutSeconds }: CallOutside): Promise<Response> {
  const { url, method, headers, body, redirect, rest } = hop
  const manual = redirect === 'follow' ? 'manual' : redirect
  const duplex = body !== null && !hop.repeatable ? { duplex: 'half' } : {}
  const send = (signal: AbortSignal | null): Promise<Response> =>
    fetcher(url.href, { ...rest, ...duplex, method, headers, body, redirect: manual, signal })
  if (timeoutSeconds === null) return await send(hop.signal)
  const late = (): DOMException => new DOMException('The service did not answer in time.', 'TimeoutError')
  return await withDeadline(new AbortController(), timeoutSeconds * 1000, late, (signal) =>
    send(hop.signal === null ? signal : AbortSignal.any([hop.signal, signal])),
  )
}

// What Node's own `fetch` takes from a redirect to another origin.
const OF_ONE_ORIGIN = ['authorization', 'proxy-authorization', 'cookie', 'host']

// The Fetch standard's "HTTP-redirect fetch", as far as a server sees it. A target that is no URL is the caller's to see.
function nextHop(hop: OutgoingCall, response: Response): OutgoingCall | null {
  const location = response.headers.get('location')
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return null
  if (!URL.canParse(location, hop.url)) return null
  const url = new URL(location, hop.url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
  const headers = new Headers(hop.headers)
  if (url.origin !== hop.url.origin) for (const name of OF_ONE_ORIGIN) headers.delete(name)
  const isRead = hop.method === 'GET' || hop.method === 'HEAD'
  const toGet = (response.status === 303 && !isRead) || (response.status <= 302 && hop.method === 'POST')
  if (!toGet && !hop.repeatable) {
    throw new TypeError('fetch of a token client: redirected with a body that can be sent only once')
  }
  if (!toGet) return { ...hop, url, headers }
  for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']) {
    headers.delete(name)
  }
  return { ...hop, url, headers, method: 'GET', body: null, repeatable: true }
}
