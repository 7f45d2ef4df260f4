/** A server under soak, from outside: started, asked, ended; what it says of its keys becomes facts of the oracle. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from '../program.ts'
import type { KeyServer } from './key-server.ts'
import type { FromServer, ServerTask, ToServer } from './messages.ts'
import type { KnownKeys, ServerFacts } from './oracle.ts'
import type { Sample } from './report.ts'
import { type Change, Timeline } from './timeline.ts'

/** A server under soak. */
export interface ServerProcess {
  readonly facts: ServerFacts
  readonly url: string
  /** Answers when it has said all that it had to say so far, and its event loop has turned since. */
  settled(): Promise<void>
  /** `null`: it has ended. */
  sample(): Promise<Pick<Sample, 'rss' | 'heap' | 'delay'> | null>
  /** Its record of a request, or `null`. */
  record(requestId: string): Promise<unknown>
  end(): Promise<void>
}

/** What a server is made of, and who is told. */
export interface ServerSetup {
  readonly name: string
  readonly task: Omit<ServerTask, 'issuers'>
  readonly keyServers: readonly KeyServer[]
  onUnhandled(text: string): void
}

/** Start a server and wait until it listens. */
export async function startServer(setup: ServerSetup): Promise<ServerProcess> {
  const { name, keyServers, onUnhandled } = setup
  const issuers = keyServers.map((each) => each.trustedBy(name))
  const task: ServerTask = { ...setup.task, issuers }
  const child = fork(await programOf('test/soak/server.ts'), [JSON.stringify(task)], {
    execArgv: ['--expose-gc'],
    // One arena of glibc's: with one for each thread resident memory creeps for minutes, whatever is freed.
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', MALLOC_ARENA_MAX: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // Frameworks print the faults they answer; only the end is kept, for a server that dies.
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4000)
  })
  const known = new Map(keyServers.map((each) => [each.issuer.issuer, learning(each, name)]))
  const waiting = new Map<number, (value: unknown) => void>()
  let isEnding = false
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', (message: FromServer) => {
      if (message.type === 'ready') resolve(message.url)
      else if (message.type === 'unhandled') onUnhandled(`${name}: ${message.text}`)
      else if (message.type === 'keys') known.get(message.event.issuer ?? '')?.hear(message.event.type)
      else {
        waiting.get(message.id)?.(message.value)
        waiting.delete(message.id)
      }
    })
    child.on('error', reject)
    child.once('exit', (code, signal) => {
      const text = `${name} ended with ${code ?? signal}: ${said}`
      if (!isEnding) onUnhandled(text)
      for (const answer of waiting.values()) answer(null)
      reject(new Error(text))
    })
  })
  let asked = 0
  const ask = (question: Omit<ToServer, 'id'>): Promise<unknown> =>
    new Promise((resolve) => {
      if (!child.connected) return resolve(null)
      waiting.set(++asked, resolve)
      child.send({ id: asked, ...question } satisfies ToServer)
    })
  const url = await ready
  return {
    url,
    facts: { name, keys: new Map([...known].map(([issuer, { keys }]) => [issuer, keys])) },
    async settled() {
      // What had arrived at its sockets before the first is read before the second.
      await ask({ ask: 'pong' })
      await ask({ ask: 'pong' })
    },
    sample: async () => (await ask({ ask: 'sample' })) as Awaited<ReturnType<ServerProcess['sample']>>,
    record: (requestId) => ask({ ask: 'record', requestId }),
    async end() {
      isEnding = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      if (child.connected) child.disconnect()
      else child.kill()
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(late)
    },
  }
}

/**
 * What a server knows of the keys of one issuer. What was served to it last it may know from then on, and does once it says
 * so; that it fails it says when it does, and it may have begun to with the outage.
 */
function learning(keyServer: KeyServer, server: string): { readonly keys: KnownKeys; hear(type: string): void } {
  const kids = new Timeline<ReadonlySet<string>>(new Set())
  const failing = new Timeline(false)
  let served: Change | null = null
  keyServer.onServed(server, (keys) => {
    served?.undone()
    served = kids.begin(keys)
  })
  return {
    keys: { kids, failing },
    hear(type) {
      if (type === 'fetch_ok') {
        served?.done()
        if (failing.last) failing.begin(false, keyServer.servedAt(server)).done()
      }
      if (type === 'fetch_failed') {
        served?.undone()
        if (!failing.last) failing.begin(true, keyServer.brokenSince()).done()
      }
      if (type !== 'stale_served') served = null
    },
  }
}
