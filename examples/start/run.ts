/**
 * From a server to a running process: listen, say so in one line, end when told to. Every example's `main.ts` is a call
 * of `run`; the demo and tests call `start` functions by themselves.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeLingering } from './lingering-close.ts'
import { type Environment, isSettingsError, type Settings, settingsError } from './settings.ts'

/** An app that listens. */
export interface Running {
  /** `http://<host>:<port>`. */
  readonly url: string
  /** Lines to print below the one that says it is ready. */
  readonly notes: readonly string[]
  /** Stop listening, let requests in flight finish for a moment, close everything. */
  stop(): Promise<void>
}

const GRACE_MS = 1500
// Whatever still hangs by then, a process that was told to end has ended before anybody counts to five.
const END_MS = 3500

/** Listen on `HOST` (127.0.0.1 unless told) and `PORT` (0: a free one); `end` runs after the last connection. */
export async function listen(
  server: Server,
  settings: Settings,
  defaultPort: number,
  end: () => unknown = () => {},
): Promise<Running> {
  const host = settings.text('HOST') ?? '127.0.0.1'
  const port = settings.whole('PORT', 0, 65_535, defaultPort)
  closeLingering(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(settingsError(cannotListen(host, port, error))))
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    notes: [],
    stop: () =>
      close(server)
        .then(end)
        .then(() => {}),
  }
}

/** Start an app over something that was opened for it: closed when the app has ended, or did not start. */
export async function closing(opened: { close(): Promise<void> }, start: () => Promise<Running>): Promise<Running> {
  try {
    const running = await start()
    return { ...running, stop: () => running.stop().then(opened.close) }
  } catch (error) {
    await opened.close()
    throw error
  }
}

function cannotListen(host: string, port: number, { code }: NodeJS.ErrnoException): string {
  const why = code === 'EADDRINUSE' ? 'the port is taken' : (code ?? 'unknown error')
  return `cannot listen on HOST ${host}, PORT ${port}: ${why}`
}

// Idle connections go at once and as they become idle; the busy ones get a moment.
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const force = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearInterval(sweep)
  clearTimeout(force)
}

/** Run an app as this process: print one line when it is ready, end at SIGTERM or SIGINT, exit with 1 if it can't start. */
export async function run(name: string, start: (environment: Environment) => Promise<Running>): Promise<void> {
  try {
    const running = await start(process.env)
    // First: who reads that we are ready may tell us to end at once.
    onceToldToEnd(() => {
      setTimeout(() => process.exit(0), END_MS)
      void running.stop().then(() => process.exit(0))
    })
    console.log([`${name} ready on ${running.url}`, ...running.notes].join('\n'))
  } catch (error) {
    if (!isSettingsError(error)) throw error
    console.error(`${name}: ${error.message}`)
    process.exitCode = 1
  }
}

/** Call `end` once at SIGTERM or SIGINT; a second signal ends the process there and then. */
export function onceToldToEnd(end: () => void): void {
  const stop = (): void => {
    clearInterval(watch)
    for (const signal of ['SIGTERM', 'SIGINT']) process.removeAllListeners(signal).once(signal, () => process.exit(1))
    end()
  }
  process.once('SIGTERM', stop).once('SIGINT', stop)
  // The shell between `npm run` and us dies of a signal without handing it on: we notice that it is gone.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent) stop()
  }, 200)
  watch.unref()
}
