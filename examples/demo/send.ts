/** Send a request as it is written down: raw header lines in order, repeated names too. */
import { request } from 'node:http'

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body: string | undefined
}

/** An answer as it came. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** Send it; fails after a minute without an answer. */
export function send({ method, url, lines, body }: WireRequest): Promise<WireAnswer> {
  const length: (readonly [string, string])[] =
    body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(body))]]
  const headers = [['Host', new URL(url).host] as const, ...length, ...lines].flat()
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, timeout: 60_000 }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() })
      })
    })
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('no answer in a minute')))
    sent.end(body)
  })
}
