/** Requests as values: what an adapter would have made, header lines exactly as given. */
import type { AuthRequest, RequestBody } from '../../src/request.ts'

export interface FakeRequestOptions {
  readonly method?: string
  readonly path?: string
  /** Lines by header name; a list is a header that was sent several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly params?: Readonly<Record<string, string | undefined>> | null
  /** The framework's object: the same one for a second mount. */
  readonly source?: object
  readonly encrypted?: boolean
  readonly upgrade?: boolean
  readonly body?: RequestBody
  readonly whenAnswered?: (listener: () => void) => unknown
}

export function fakeRequest(options: FakeRequestOptions = {}): AuthRequest {
  const { method = 'GET', path = '/things', headers = {}, params = null, source = {} } = options
  const lines = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? [value] : value]),
  )
  return {
    method,
    path,
    source,
    params,
    lines: (name) => lines.get(name.toLowerCase()) ?? [],
    remoteAddress: '127.0.0.1',
    encrypted: options.encrypted ?? false,
    upgrade: options.upgrade ?? false,
    whenAnswered: options.whenAnswered,
    body: async () => options.body ?? { kind: 'bytes', bytes: new Uint8Array() },
  }
}
