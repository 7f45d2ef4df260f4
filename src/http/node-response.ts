/** Node's response, as far as headers are put on it: of HTTP/1 or HTTP/2. */

/** The part of Node's response that `keepHeaders` needs. */
export interface NodeResponse {
  /** The request that it answers. */
  readonly req?: unknown
  /** What Node makes anew for each response. */
  readonly outputData?: object | null | undefined
  readonly _events?: object | null | undefined
  getHeader?(name: string): unknown
  getHeaderNames?(): readonly string[]
  setHeader(name: string, value: string | readonly string[]): unknown
  once?(event: 'close', listener: () => void): unknown
  readonly headersSent?: boolean | undefined
  readonly destroyed?: boolean | undefined
  writeHead: unknown
}

/** Its `writeHead`, or what stands in its place. */
export type WriteHead = (this: NodeResponse, ...head: unknown[]) => unknown

/** What is done around the head of a response: it goes on by `writeHead`. */
export type AroundHead = (response: NodeResponse, head: readonly unknown[], writeHead: WriteHead) => unknown
