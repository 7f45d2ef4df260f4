/** Whoever closes the connection after this request, and is still sending, gets the answer all the same. */
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { closeLingering } from '../../examples/start/lingering-close.ts'

const server = closeLingering(createServer((_request, response) => void response.end('no, thanks')))
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve())))
afterAll(() => void server.close())
afterEach(() => void vi.useRealTimers())

/** Post so many bytes; the answer, and whether the connection ended in order. */
function post(bytes: number): Promise<{ readonly answer: string; readonly error: Error | null }> {
  return new Promise((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    let [answer, error] = ['', null as Error | null]
    socket.on('data', (chunk) => {
      answer += String(chunk)
    })
    socket.on('error', (thrown) => {
      error = thrown
    })
    socket.on('close', () => resolve({ answer, error }))
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`)
    socket.write(Buffer.alloc(bytes, 'x'))
  })
}

it.each([0, 1, 20_000, 5_000_000])('%d bytes that nobody reads', async (bytes) => {
  // The server's patience with who is still sending is two seconds, of which a machine may stand still for as long.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  for (let turn = 0; turn < 5; turn++) {
    const { answer, error } = await post(bytes)
    expect([answer.split('\r\n')[0], answer.endsWith('no, thanks'), error]).toEqual(['HTTP/1.1 200 OK', true, null])
  }
})

it('answers, and is ended by the server, although the rest never comes and the sender never ends', async () => {
  const ended = new Promise<boolean>((resolve) => {
    server.once('connection', (connection) => connection.once('close', () => resolve(connection.destroyed)))
  })
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += String(chunk)
  })
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\nx')
  expect(await ended).toBe(true)
  expect([answer.split('\r\n')[0], answer.endsWith('no, thanks')]).toEqual(['HTTP/1.1 200 OK', true])
  socket.destroy()
})
