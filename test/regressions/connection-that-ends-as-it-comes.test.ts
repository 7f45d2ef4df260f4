/**
 * A connection to PostgreSQL that is ended in the very breath in which it becomes ready (a failover, an administrator, a
 * restart): who wanted it is told to come again, and no error event is left to end the process.
 */
import { type AddressInfo, createServer, type Server } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostgresStorage, withSystemScope } from '../../src/storage/postgres.ts'
import { isTransientError } from '../../src/storage/storage-errors.ts'

const message = (type: string, content: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length + 4)
  return Buffer.concat([Buffer.from(type), length, content])
}
const fields = 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'
// AuthenticationOk, ReadyForQuery, ErrorResponse: one packet.
const READY_AND_GONE = Buffer.concat([
  message('R', Buffer.alloc(4)),
  message('Z', Buffer.from('I')),
  message('E', Buffer.from(fields)),
])

let server: Server
let pool: pg.Pool
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(READY_AND_GONE))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  pool = new pg.Pool({ host: '127.0.0.1', port, user: 'somebody', database: 'none', max: 4 })
  pool.on('error', () => undefined)
})
afterAll(async () => {
  await pool.end()
  server.close()
})

const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)

it.each<[string, () => Promise<unknown>]>([
  ['a transaction', () => createPostgresStorage({ pool }).transaction(async () => undefined)],
  ['a look-up', () => createPostgresStorage({ pool }).orgs.findById('11111111-1111-4111-8111-111111111111')],
  ['a scope', () => withSystemScope(pool, async () => undefined)],
])('%s', async (_, ask) => {
  process.on('uncaughtException', note)
  try {
    const error: unknown = await ask().then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect([isTransientError(error), unhandled]).toEqual([true, []])
  } finally {
    process.off('uncaughtException', note)
  }
})
