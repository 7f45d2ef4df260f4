/**
 * An answer that does not wait for the body it is not interested in (413, 401, the sync route) must still arrive: whoever
 * asked for `Connection: close` and is still sending would meet a reset, and lose the answer with it.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

const LONGEST_MS = 2000
const MOST_BYTES = 64 * 1024 * 1024

/** Let connections end after what was still being sent has been read and dropped, for a bounded time and size. */
export function closeLingering(server: Server): Server {
  return server.prependListener('request', (request: IncomingMessage) => {
    const { socket } = request
    // What Node calls once the last answer of a connection is written.
    socket.destroySoon = () => (request.complete ? endSoon(socket) : linger(request, socket))
  })
}

function linger(request: IncomingMessage, socket: Socket): void {
  const most = socket.bytesRead + MOST_BYTES
  const done = (): void => {
    clearTimeout(timer)
    socket.destroy()
  }
  const timer = setTimeout(done, LONGEST_MS)
  socket.end()
  request.on('data', () => socket.bytesRead > most && done())
  request.once('close', done).once('end', done).resume()
}

function endSoon(socket: Socket): void {
  socket.end()
  if (socket.writableFinished) socket.destroy()
  else socket.once('finish', () => socket.destroy())
}
