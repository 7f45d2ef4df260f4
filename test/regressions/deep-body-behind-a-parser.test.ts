/** A body that a parser had read was measured by recursion: 14 KB of brackets overflowed the stack, which was a 500. */
import { request as httpRequest } from 'node:http'
import express from 'express'
import { isAuthError } from 'sallyport'
import { readJson } from 'sallyport/express'
import { expect, it } from 'vitest'
import { listen } from '../support/hosts.ts'

const nested = (depth: number): string => `{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`

it.each([
  [7000, 200],
  [8187, 200],
  [8188, 413],
  [40_000, 413],
])('%i brackets behind express.json() are %i', async (depth, status) => {
  const app = express()
  app.use(express.json({ limit: '1mb' }), async (req, res) => {
    const outcome = await readJson(req).catch((error: unknown) => error)
    res.sendStatus(isAuthError(outcome) ? outcome.status : outcome instanceof Error ? 500 : 200)
  })
  const server = await listen(app as never)
  try {
    // In chunks, so that no length says it beforehand.
    const answered = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
      const sending = httpRequest(server.url, { method: 'POST', headers }, (res) => {
        res.resume()
        resolve(res.statusCode)
      })
      sending.on('error', reject)
      sending.end(nested(depth))
    })
    expect(answered).toBe(status)
  } finally {
    await server.close()
  }
})

it('measures what it would take to send, to the byte', async () => {
  const bodies = [{}, { a: [] }, { 'ä"': 'é\n😀', b: [1, -0.5, 1e300, null, true, { c: {} }], d: [[], [[]]] }]
  for (const body of bodies) {
    const size = Buffer.byteLength(JSON.stringify(body))
    const message = { rawHeaders: ['Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'], body }
    const read = (limit: number): Promise<unknown> =>
      readJson({ ...message, readableDidRead: true } as never, undefined, { limitBytes: limit })
    expect(await read(size)).toEqual(body)
    await expect(read(size - 1)).rejects.toMatchObject({ code: 'payload_too_large' })
  }
})
