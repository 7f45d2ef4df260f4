/** A Fetch `Request` as the corridor reads it: for Hono and any server that speaks Fetch. */
import { AuthError } from '../errors.ts'
import type { AuthRequest, RequestBody } from '../request.ts'

/** What the framework knows beside the Fetch request. */
export interface FetchRequestExtras {
  /** The framework's own request object, where it is another one than the request. */
  readonly source?: object
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>>
  /** The body as text where a handler has read it already. */
  readonly readText?: () => Promise<string>
  /** The peer's address, where the platform tells it. */
  readonly remoteAddress?: string
}

/**
 * Read a Fetch request. `Headers` has joined repeated lines by a comma, so a comma separates lines here (H3): what can't
 * be told apart is refused.
 *
 * @example
 * const context = await auth.authenticate(fromFetchRequest(request))
 */
export function fromFetchRequest(request: Request, extras: FetchRequestExtras = {}): AuthRequest {
  const { source = request, params = null, readText, remoteAddress = null } = extras
  const { headers } = request
  return {
    method: request.method.toUpperCase(),
    path: pathOf(request.url),
    source,
    params,
    lines: (name) => headers.get(name)?.split(/, ?/) ?? [],
    remoteAddress,
    encrypted: request.url.startsWith('https:'),
    upgrade: headers.has('upgrade'),
    body: (limit) => bodyOf(request, limit, readText),
  }
}

function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] || '/'
}

async function bodyOf(
  request: Request,
  limit: number,
  readText: (() => Promise<string>) | undefined,
): Promise<RequestBody> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) return { kind: 'too_large' }
  if (!request.bodyUsed) return readStream(request.body, limit)
  if (readText === undefined) throw new Error(CONSUMED)
  const bytes = new TextEncoder().encode(await readText())
  return bytes.length > limit ? { kind: 'too_large' } : { kind: 'bytes', bytes }
}

const CONSUMED = 'sallyport: somebody else has read the request body and left nothing of it'

async function readStream(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<RequestBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of stream ?? []) {
      size += chunk.length
      if (size > limit) return { kind: 'too_large' }
      chunks.push(chunk)
    }
  } catch (cause) {
    throw new AuthError('validation_error', { field: 'body', reason: 'body_lost', cause })
  }
  return { kind: 'bytes', bytes: new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()) }
}
