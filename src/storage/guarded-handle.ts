/**
 * The handle that a transaction's work is given: the host's own client for as long as the work runs, for one scope at a
 * time, and without a say in where its transaction begins and ends. Nothing waits for anything here: what may not be is
 * refused at once.
 */
import { isPending } from '../lib/at-once.ts'
import type { PgResult } from './sql-executor.ts'
import { readSql } from './sql-words.ts'

/** A scope, or the transaction around all of them: whoever may ask the client now. */
export interface Frame {
  /** What the work gets. */
  readonly handle: object
  /** What all scopes of one client have in common. */
  readonly connection: Client
  /** The one that it lies in; `null` also in a transaction that the host has begun. */
  readonly parent: Frame | null
  /** The scope inside that has not ended yet. */
  child: Frame | null
  /** Whether its work has not settled yet. */
  isWorking: boolean
  /**
   * Ask on the client itself, for the scope's own needs, several statements in one round trip; refused once it has ended, or
   * the work around it has settled. Hands on what each has answered; of PGlite, which is in this process, the last alone.
   */
  ask(...texts: readonly string[]): Promise<readonly PgResult[]>
  /** Run the work: when it has settled its handle refuses. Throws where a scope inside has not ended by then. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** The scope is over; the one around it may be asked again. */
  end(): void
}

/** A client, while it has a scope. */
interface Client {
  /** Settings that the work changed for longer than the transaction, `*` for what else it left, as far as its texts show. */
  readonly touched: Set<string>
  /** Why nothing more should be asked of it: it is cut off, or has become another server's. */
  lost: Error | undefined
  readonly raw: object
  /** Call a method of the host's own client. */
  call(name: PropertyKey, given: readonly unknown[]): unknown
  read(name: PropertyKey): unknown
  giveBack(): void
}

/** How a frame is opened. */
export interface FrameOptions {
  /** What it is, for the sentences of refusals. */
  readonly what: 'scope' | 'transaction'
  /** Settings that are the scope's own, in lower case: no text changes them. */
  readonly bound?: readonly string[] | undefined
  /** Whether nobody else has the client: else it refuses the host too, for as long as it has a scope. */
  readonly isOurs?: boolean | undefined
}

// Of handles that were handed out, and of clients that have a scope.
const FRAMES = new WeakMap<object, Frame>()
const OUTERMOST = new WeakSet<object>()

/**
 * Open a scope on a client, or inside the scope whose handle is given.
 *
 * @throws Error where the client has a scope already, or the handle's own has ended
 */
export function openFrame(target: object, { what, bound = [], isOurs = false }: FrameOptions): Frame {
  const parent = FRAMES.get(target) ?? null
  if (parent !== null) requireFree(parent, 'scope')
  else if (OUTERMOST.has(target)) throw new Error(BUSY)
  const connection = parent?.connection ?? takeClient(target, isOurs ? [] : ASKING)
  let isOver = false
  const handle = guarded(connection, (name, given) => {
    requireFree(frame, what)
    return callGuarded(connection, bound, name, given)
  })
  const frame: Frame = {
    handle,
    connection,
    parent,
    child: null,
    isWorking: true,
    async ask(...texts) {
      let answered: unknown
      for (const message of messagesOf(connection, texts)) {
        if (isOver || !isOpen(parent)) throw new Error(ended(what))
        answered = await connection.call('query', [message])
      }
      return (Array.isArray(answered) ? answered : [answered]) as PgResult[]
    },
    async run(work) {
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await work()
      } finally {
        frame.isWorking = false
      }
      if (frame.child !== null) throw new Error(UNFINISHED)
      return result
    },
    end() {
      frame.isWorking = false
      isOver = true
      if (parent === null) {
        OUTERMOST.delete(target)
        connection.giveBack()
      } else if (parent.child === frame) parent.child = null
    },
  }
  FRAMES.set(handle, frame)
  if (parent === null) OUTERMOST.add(target)
  else parent.child = frame
  return frame
}

const BUSY = 'this client has a scope already: one at a time, so await that one, or use the client that it hands out'
/** Thrown at work that has not waited for a scope of its own. */
export const UNFINISHED = 'nothing was stored: the work ended before a scope inside it did (await it)'

function ended(what: FrameOptions['what']): string {
  return `this ${what} has ended: its client can no longer be used`
}

function requireFree(frame: Frame, what: FrameOptions['what']): void {
  if (!isOpen(frame)) throw new Error(ended(what))
  if (frame.child !== null) throw new Error(BUSY)
}

function isOpen(frame: Frame | null): boolean {
  return frame === null || (frame.isWorking && isOpen(frame.parent))
}

// `pg` takes several statements in one message, PGlite one after another.
function messagesOf({ raw }: Client, texts: readonly string[]): readonly string[] {
  return 'release' in raw ? [texts.join('; ')] : texts
}

const ASKING: readonly PropertyKey[] = ['query', 'exec', 'sql', 'rollback']

// While a scope is open the host's own client refuses too (the methods `taken`): it would ask as the scope's role, of the
// scope's rows.
function takeClient(raw: object, taken: readonly PropertyKey[]): Client {
  const before = taken.map((name) => [name, Object.getOwnPropertyDescriptor(raw, name)] as const)
  const own = new Map<PropertyKey, unknown>(taken.map((name) => [name, Reflect.get(raw, name)]))
  const read = (name: PropertyKey): unknown => own.get(name) ?? Reflect.get(raw, name)
  // What a method of the client's own asks in turn is the scope's question.
  let calling = 0
  const call = (name: PropertyKey, given: readonly unknown[]): unknown => {
    calling++
    try {
      return Reflect.apply(read(name) as () => unknown, raw, given)
    } finally {
      calling--
    }
  }
  for (const [name, method] of own) {
    if (typeof method !== 'function') continue
    const value = (...given: unknown[]): unknown => (calling > 0 ? call(name, given) : refusal(given, new Error(BUSY)))
    // A frozen client can't be taken: then the guarded handle and the last check have to do.
    Reflect.defineProperty(raw, name, { value, configurable: true, writable: true, enumerable: true })
  }
  const giveBack = (): void => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(raw, name)
      else Reflect.defineProperty(raw, name, descriptor)
    }
  }
  return { raw, touched: new Set(), lost: undefined, call, read, giveBack }
}

// Every method of the client, by `call`; the rest is read as it is.
function guarded({ raw, read }: Client, call: Client['call']): object {
  const proxy: object = new Proxy(raw, {
    get(_target, name) {
      const value = read(name)
      if (typeof value !== 'function' || name === 'constructor') return value
      return (...given: unknown[]): unknown => {
        try {
          const result = call(name, given)
          // A method that answers its own object would hand out what is guarded here.
          return result === raw ? proxy : result
        } catch (error) {
          if (ASKING.includes(name) && error instanceof Error) return refusal(given, error)
          throw error
        }
      }
    },
  })
  return proxy
}

// As a driver hands on an error: by the promise that it would have answered with.
function refusal(given: readonly unknown[], error: Error): unknown {
  const [query] = given
  const isOwnQuery = typeof query === 'object' && query !== null && 'submit' in query
  if (isOwnQuery || given.some((each) => typeof each === 'function')) throw error
  return Promise.reject(error)
}

function callGuarded(client: Client, bound: readonly string[], name: PropertyKey, given: readonly unknown[]): unknown {
  if (name === 'release') throw new Error('a scope gives its client back by itself')
  if (name === 'rollback') throw new Error(controlled('ROLLBACK'))
  if (ASKING.includes(name)) {
    const { control, settings } = readSql(textOf(given))
    if (control !== undefined) throw new Error(controlled(control))
    for (const change of settings) {
      const setting = change.name.startsWith('$') ? boundName(change.name, given) : change.name
      if (setting === 'all') throw new Error('RESET ALL is not for work inside a transaction: name the setting')
      if (bound.includes(setting)) {
        throw new Error(`the setting ${setting} is the scope's own: to act as another, open a scope inside`)
      }
      if (change.lasts) client.touched.add(setting)
    }
  }
  const result = client.call(name, given)
  // Whoever's promise it is: a library may have replaced the global one. Of no other method: a `then` may be what sends a query.
  if (ASKING.includes(name) && isPending(result)) Promise.resolve(result).catch((error) => noteLoss(client, error))
  return result
}

function boundName(placeholder: string, [query, values]: readonly unknown[]): string {
  const list = Array.isArray(values) ? values : (query as { values?: unknown } | null)?.values
  const name: unknown = Array.isArray(list) ? list[Number(placeholder.slice(1)) - 1] : undefined
  return typeof name === 'string' ? name.toLowerCase() : '*'
}

function controlled(word: string): string {
  return `${word} is not the work's to say: its transaction ends with it, and is undone where it throws; a scope inside is a savepoint`
}

// What `pg` and PGlite take: a text, an object that has one, a query of its own class such as a cursor, a template.
function textOf([query, ...values]: readonly unknown[]): string {
  if (typeof query === 'string') return query
  if (Array.isArray(query)) return templateText(query, values)
  const { text, cursor } = (query ?? {}) as { text?: unknown; cursor?: { text?: unknown } }
  const found = text ?? cursor?.text
  if (typeof found !== 'string') throw new Error('a query has to say its text, also one that was prepared by name')
  return found
}

function templateText(strings: readonly string[], values: readonly unknown[]): string {
  return strings.map((each, index) => `${each}${index < values.length ? rawText(values[index]) : ''}`).join('')
}

// PGlite's pieces of text in a template.
function rawText(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('_templateType' in value)) return ' $0 '
  const { str, strings, values } = value as { str?: string; strings?: readonly string[]; values?: readonly unknown[] }
  return strings === undefined ? (str ?? '') : templateText(strings, values ?? [])
}

// Read-only after a failover, shut down, cut off: the connection is not what it was.
const LOST = /^(25006|57P0\d|08[0-9A-Z]{3})$/

function noteLoss(client: Client, error: unknown): void {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && LOST.test(code)) client.lost ??= error as Error
}
