/** A Node `IncomingMessage` as the corridor reads it: for Express, Koa, Hono on Node, and raw WebSocket upgrades. */
import { AuthError } from '../errors.ts'
import type { AuthRequest, RequestBody } from '../request.ts'

/** The part of Node's `IncomingMessage` that is read: any server built on `node:http` has it. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Header lines exactly as they arrived: names and values in turn. */
  readonly rawHeaders: readonly string[]
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean } | null
  readonly readableDidRead?: boolean
  readonly destroyed?: boolean
  on(event: string, listener: (chunk: Uint8Array) => void): unknown
  off(event: string, listener: (chunk: Uint8Array) => void): unknown
}

/** What the framework knows beside the message. */
export interface NodeRequestExtras {
  /** The framework's own request object, where it is another one than the message. */
  readonly source?: object
  /** Path parameters of the matched route. */
  readonly params?: Readonly<Record<string, string | undefined>>
  /** What a body parser left, or `undefined`. */
  readonly parsedBody?: () => unknown
}

/**
 * Read a Node request. No response object is needed, so a WebSocket upgrade can be authenticated too.
 *
 * @example
 * server.on('upgrade', async (message, socket) => {
 *   const context = await auth.authenticate(fromNodeRequest(message))
 * })
 */
export function fromNodeRequest(message: NodeRequest, extras: NodeRequestExtras = {}): AuthRequest {
  const { source = message, params = null, parsedBody } = extras
  const lines = (name: string): string[] => linesOf(message.rawHeaders, name.toLowerCase())
  return {
    method: (message.method ?? 'GET').toUpperCase(),
    path: (message.url ?? '/').split('?', 1)[0] as string,
    source,
    params,
    lines,
    remoteAddress: message.socket?.remoteAddress ?? null,
    encrypted: message.socket?.encrypted === true,
    upgrade: lines('upgrade').length > 0,
    body: (limit) => bodyOf(message, limit, lines('content-length')[0], parsedBody),
  }
}

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const key = rawHeaders[i] as string
    if (key.length === name.length && key.toLowerCase() === name) lines.push(rawHeaders[i + 1] as string)
  }
  return lines
}

async function bodyOf(
  message: NodeRequest,
  limit: number,
  contentLength: string | undefined,
  parsedBody: (() => unknown) | undefined,
): Promise<RequestBody> {
  if (contentLength !== undefined && Number(contentLength) > limit) return { kind: 'too_large' }
  if (message.readableDidRead !== true) return readStream(message, limit)
  const value = parsedBody?.()
  if (value !== undefined) return { kind: 'parsed', value }
  throw new Error('sallyport: another middleware has read the request body and left nothing of it')
}

function readStream(message: NodeRequest, limit: number): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const settle = (finish: () => void): void => {
      message.off('data', onData)
      message.off('end', onEnd)
      message.off('close', onLost)
      message.off('error', onLost)
      finish()
    }
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length
      if (size > limit) settle(() => resolve({ kind: 'too_large' }))
      else chunks.push(chunk)
    }
    const onEnd = (): void => settle(() => resolve({ kind: 'bytes', bytes: join(chunks, size) }))
    const onLost = (): void => settle(() => reject(aborted()))
    if (message.destroyed === true) return reject(aborted())
    message.on('end', onEnd)
    message.on('close', onLost)
    message.on('error', onLost)
    message.on('data', onData)
  })
}

// The client is gone (E3): nobody reads this answer, but it must be an answer and not an unhandled rejection.
function aborted(): AuthError {
  return new AuthError('validation_error', { field: 'body', reason: 'body_aborted' })
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
