/** A WebSocket server: a browser gets in by a cookie, by a ticket, or by its first message. */
// #region head
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import express from 'express'
import { type ContextOf, createAuth, isAuthError, supabase } from 'sallyport'
import { fromFetchRequest, fromNodeRequest } from 'sallyport/adapter'
import { createAdapter } from 'sallyport/express'
import { type WebSocket, WebSocketServer } from 'ws'
import { storage } from './auth.ts'

const auth = createAuth({
  issuers: [supabase({ url: process.env.SUPABASE_URL })],
  storage,
  roles: ['member', 'admin', 'owner'],
  cookie: { name: 'session' }, // only for the first of the three
})
const { protect } = createAdapter(auth)

/** Asks who is at the other end: when a socket is opened, and again while it is open. */
type Ask = () => Promise<ContextOf<typeof auth>>

export const app = express()
// #endregion

// #region ticket
const TICKET_MS = 30_000
const tickets = new Map<string, Ask>() // for several instances: somewhere that all of them see

app.post(
  '/api/live/ticket',
  protect((_context, req, res) => {
    const ticket = randomBytes(32).toString('base64url')
    // With a fresh source each time: the verdict on a request object is kept.
    tickets.set(ticket, () => auth.authenticate(fromNodeRequest(req, { url: req.originalUrl, source: {} })))
    setTimeout(() => tickets.delete(ticket), TICKET_MS).unref()
    res.set('Cache-Control', 'no-store').json({ ticket })
  }),
)

/** Whose it is, once. */
function redeem(ticket: string): Ask | undefined {
  const ask = tickets.get(ticket)
  tickets.delete(ticket)
  return ask
}
// #endregion

// #region upgrade
export const server = createServer(app)
const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 })

server.on('upgrade', async (message, socket, head) => {
  // Before anything is awaited: a client that resets meanwhile would end the process.
  socket.on('error', () => socket.destroy())
  const [path, query] = (message.url ?? '/').split('?', 2) // `new URL` would throw for some targets
  const open = (then: (ws: WebSocket) => void): void => sockets.handleUpgrade(message, socket, head, then)
  if (path === '/live/first-message') return open(expectToken)
  try {
    const ask = askOf(message, new URLSearchParams(query).get('ticket'))
    const context = await ask()
    open((ws) => serve(ws, ask, context))
  } catch (error) {
    const status = isAuthError(error) ? error.status : 500
    socket.once('finish', () => socket.destroy()) // a client that never ends its side would stay
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  }
})

function askOf(message: IncomingMessage, ticket: string | null): Ask {
  return (ticket !== null && redeem(ticket)) || (() => auth.authenticate(fromNodeRequest(message, { source: {} })))
}
// #endregion

// #region first-message
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 10_000)

/** Anybody may open it: whoever sends no good token, and soon, is put out. */
function expectToken(ws: WebSocket): void {
  ws.on('error', () => ws.terminate())
  const timer = setTimeout(() => ws.close(1008, 'no token'), PATIENCE_MS)
  ws.once('message', async (data) => {
    clearTimeout(timer)
    let ask: Ask | undefined
    try {
      ask = askBy(String(data))
      serve(ws, ask, await ask())
    } catch (error) {
      const isRefused = ask === undefined || (isAuthError(error) && error.status !== 503)
      ws.close(isRefused ? 1008 : 1011, isRefused ? 'refused' : 'try again')
    }
  })
}

/** What they say is put where a header would be. */
function askBy(message: string): Ask {
  const { token, orgId } = JSON.parse(message) as { token: string; orgId?: string }
  const headers = new Headers({ Authorization: `Bearer ${token}` })
  if (orgId !== undefined) headers.set('X-Org-Id', orgId)
  return () => auth.authenticate(fromFetchRequest(new Request('https://live.invalid/live/first-message', { headers })))
}
// #endregion

// #region stay
const RECHECK_MS = Number(process.env.RECHECK_MS ?? 30_000)

/** Whoever would not be let in now is out; what can't be found out (503) ends nothing. */
function serve(ws: WebSocket, ask: Ask, { user, org }: ContextOf<typeof auth>): void {
  if (ws.readyState !== ws.OPEN) return // gone while it was asked for: no `close` would end the timer
  ws.on('error', () => ws.terminate())
  ws.send(JSON.stringify({ hello: user.email, org: org.name }))
  const timer = setInterval(async () => {
    const refusal: unknown = await ask().then(
      () => null,
      (error: unknown) => error,
    )
    if (refusal !== null && !(isAuthError(refusal) && refusal.status === 503)) ws.close(1008, 'ended')
  }, RECHECK_MS)
  ws.on('close', () => clearInterval(timer))
}

server.listen(process.env.PORT ?? 3000)
// #endregion
