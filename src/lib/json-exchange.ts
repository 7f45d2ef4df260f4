/**
 * JSON over HTTP from servers we have to ask (keys, metadata, tokens), under hard limits: 256 KB after decompression, no
 * redirects, no caches, the caller's deadline. Hands on what came; what it means is the caller's business.
 */

/** A request. It may hold secrets: never print one. */
export interface JsonRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What is posted; without it the request is a GET. */
  readonly body?: string | undefined
  /** The statuses whose bodies are worth reading. */
  readonly read: readonly number[]
}

/** What a server answered. */
export interface JsonAnswer {
  /** The status; 302 also where a redirect was followed in spite of us. */
  readonly status: number
  /** The `Retry-After` header. */
  readonly retryAfter: string | null
  /** The members of the body, own ones only; or why there are none. */
  readonly body: Readonly<Record<string, unknown>> | 'unread' | 'too_large' | 'not_json' | 'not_object'
}

const MAX_BYTES: number = 256 * 1024

/** Send a request, once. Throws whatever `fetcher` throws. */
export async function exchangeJson(
  fetcher: typeof fetch,
  { url, headers, body, read }: JsonRequest,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const response = await fetcher(url, {
    headers: { accept: 'application/json', ...headers },
    ...(body === undefined ? {} : { method: 'POST', body }),
    redirect: 'manual',
    signal,
    ...noStore(),
  })
  // A fetch function that followed a redirect all the same has taken a secret elsewhere: nothing from there counts.
  const status = response.redirected || response.type === 'opaqueredirect' ? 302 : response.status
  const answer = { status, retryAfter: response.headers.get('retry-after') }
  if (!read.includes(status)) {
    // Frees the connection; what the body holds doesn't matter, nor whether it can be cancelled.
    response.body?.cancel().catch(() => {})
    return { ...answer, body: 'unread' }
  }
  return { ...answer, body: await readObject(response) }
}

async function readObject({ body }: Response): Promise<JsonAnswer['body']> {
  if (body === null) return 'not_json'
  const reader = body.getReader()
  const bytes = await readBounded(reader, MAX_BYTES)
  if (bytes !== null) return parseJsonObject(bytes)
  reader.cancel().catch(() => {})
  return 'too_large'
}

/** Read the members of a JSON object, into one without a prototype; or say why there are none. */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | 'not_json' | 'not_object' {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not_object'
    return Object.assign(Object.create(null) as Record<string, unknown>, value)
  } catch {
    return 'not_json'
  }
}

interface ByteCollector {
  /** Keep a part; `false` where there are too many bytes now: nothing of them is kept any longer. */
  add(chunk: Uint8Array): boolean
  /** All parts as one. */
  join(): Uint8Array<ArrayBuffer>
}

/** Collect the parts of a body, at most so many bytes. */
export function collectBytes(maxBytes: number): ByteCollector {
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    add(chunk) {
      size += chunk.byteLength
      if (size > maxBytes) chunks = []
      else chunks.push(chunk)
      return size <= maxBytes
    },
    join() {
      const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
      let offset = 0
      for (const chunk of chunks) {
        bytes.set(chunk, offset)
        offset += chunk.byteLength
      }
      return bytes
    },
  }
}

/** Read a body to its end: its bytes after decompression; `null` where there are more than `maxBytes`: the rest is not read. */
export async function readBounded(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = collectBytes(maxBytes)
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!bytes.add(part.value)) return null
  }
  return bytes.join()
}

/**
 * Make the part of `fetch`'s options that keeps HTTP caches out (Fetch §2.2.5, cache mode): frameworks patch `fetch` and
 * keep what it answers (Next.js), and a kept answer would outlive a rotation. Workers of older compatibility dates throw
 * at the member itself.
 */
export function noStore(): { readonly cache?: 'no-store' } {
  try {
    new Request('https://localhost', { cache: 'no-store' })
    return { cache: 'no-store' }
  } catch {
    return {}
  }
}

const FAILURE = 'FetchFailure'

/** What became of asking a server for a document: for events, logs and records. Never a query, a body or a secret. */
export interface FetchFault {
  /** One word: `network`, `timeout`, `status`, `redirect`, `too_large`, `not_json`, … */
  readonly reason: string
  /** The URL that was asked, without its query; `null` where that is not known. */
  readonly asked: string | null
  /** What the server answered, where it did. */
  readonly status: number | null
  /** The code of what was thrown below (`ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`), where there is one. */
  readonly cause: string | null
}

/** Make a failure to get a document; `word` says which, for events and logs. */
export function fetchFailure(
  word: string,
  cause?: unknown,
  from: { url?: string | undefined; status?: number | undefined } = {},
): Error {
  const error = new Error(word, cause === undefined ? undefined : { cause })
  error.name = FAILURE
  return Object.assign(error, from)
}

/** Read what a {@link fetchFailure} says; its word is `network` for whatever `fetch` itself throws. */
export function faultOf(error: unknown): FetchFault {
  const { url, status } = (error ?? {}) as { readonly url?: string; readonly status?: number }
  const asked = url?.replace(/\?.*/, '') ?? null
  return { reason: failureWord(error), asked, status: status ?? null, cause: causeOf(error) }
}

/** The word of a {@link fetchFailure}; `network` for whatever `fetch` itself throws. */
export function failureWord(error: unknown): string {
  return error instanceof Error && error.name === FAILURE ? error.message : 'network'
}

// Of what is thrown below, the first that has a code.
function causeOf(error: unknown, depth = 4): string | null {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown }
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,39}$/.test(code)) return code
  return cause === undefined || depth === 0 ? null : causeOf(cause, depth - 1)
}

/**
 * Fetch a JSON object: its members. One request, no retry; anything but a 200 is a {@link fetchFailure}.
 * @param orElse where to look, once, where the answer is a 404
 */
export async function fetchJsonObject(
  fetcher: typeof fetch,
  url: string,
  signal: AbortSignal,
  orElse?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await exchangeJson(fetcher, { url, read: [200] }, signal).catch((cause: unknown) => {
    throw fetchFailure('network', cause, { url })
  })
  if (status === 404 && orElse !== undefined) return fetchJsonObject(fetcher, orElse, signal)
  const unread = status >= 300 && status < 400 ? 'redirect' : 'status'
  if (typeof body === 'string') throw fetchFailure(body === 'unread' ? unread : body, undefined, { url, status })
  return body
}
