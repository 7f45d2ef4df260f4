/** A parser that makes a BigInt of a large number made `readJson` fail, which was a 500: such a body could not be measured. */
import express from 'express'
import { readJson } from 'sallyport/express'
import { expect, it } from 'vitest'
import { listen } from '../support/hosts.ts'

const LARGE = '9007199254740993'

it.each([
  [16_384, 200],
  [`{"id":${LARGE}}`.length, 200],
  [`{"id":${LARGE}}`.length - 1, 413],
])('within %i bytes it is %i', async (limitBytes, status) => {
  const app = express()
  const reviver = (_key: string, value: unknown): unknown => (typeof value === 'number' ? BigInt(LARGE) : value)
  app.use(express.json({ reviver }), async (req, res) => {
    const outcome = await readJson(req, undefined, { limitBytes }).catch((error: unknown) => error as Error)
    res.sendStatus('status' in outcome ? Number(outcome['status']) : 'id' in outcome ? 200 : 500)
  })
  const server = await listen(app as never)
  try {
    // In chunks, so that no length says it beforehand.
    const body = new Blob([`{"id":${LARGE}}`]).stream()
    const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' }, duplex: 'half' }
    expect((await fetch(server.url, init as RequestInit)).status).toBe(status)
  } finally {
    await server.close()
  }
})
