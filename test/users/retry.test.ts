/** A first login whose transaction never answers (R3): cut off after five seconds, told nobody twice, in nobody's way. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OrgSelection, ResolvedUser, User } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { countRows, identityOf } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const ADA = identityOf('ada')

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Stop = 'before it begins' | 'before it is committed' | 'after it was committed'

/** A storage whose first transaction waits at `stop` until `goOn` is called. */
function hangingStorage(stop: Stop): { storage: MemoryStorage; goOn(failure?: Error): void; runs(): number } {
  const storage = createMemoryStorage()
  let goOn: (failure?: Error) => void = () => undefined
  const promise = new Promise<void>((resolve, reject) => {
    goOn = (failure) => (failure === undefined ? resolve() : reject(failure))
  })
  let runs = 0
  const transaction: MemoryStorage['transaction'] = async (work) => {
    runs += 1
    const wait = async (at: Stop): Promise<void> => (isFirst && at === stop ? promise : undefined)
    const isFirst = runs === 1
    await wait('before it begins')
    const result = await storage.transaction(work)
    await wait('after it was committed')
    return result
  }
  return {
    storage: { ...storage, transaction },
    goOn,
    runs: () => runs,
  }
}

/** A provisioner whose first transaction hangs at `stop`: in its hook, where that is before the commit. */
function hangingResolver(stop: Stop) {
  const { storage, goOn, runs } = hangingStorage(stop)
  let hooks = 0
  let leave: (failure?: Error) => void = () => undefined
  const bootstrap = (): void | Promise<void> => {
    if (hooks++ > 0 || stop !== 'before it is committed') return
    return new Promise((resolve, reject) => {
      leave = (failure) => (failure === undefined ? resolve() : reject(failure))
    })
  }
  const end = (failure?: Error): void => (stop === 'before it is committed' ? leave(failure) : goOn(failure))
  return { resolver: createProvisioner({ storage, bootstrap }), storage, goOn: end, runs, hooks: () => hooks }
}

type Outcome = { readonly resolvedUser?: ResolvedUser<User>; readonly error?: unknown }

const outcomeOf = (work: Promise<ResolvedUser<User>>): Promise<Outcome> =>
  work.then(
    (resolvedUser) => ({ resolvedUser }),
    (error: unknown) => ({ error }),
  )

const CUT_OFF = { error: { code: 'temporarily_unavailable', status: 503, reason: 'provisioning_cut_off' } }
const aWhile = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('an attempt that hangs', () => {
  it('is cut off at 5 seconds, not before, for everybody who shares it: 503 with Retry-After', async () => {
    const { resolver, goOn } = hangingResolver('before it is committed')
    const settled: Outcome[] = []
    for (let n = 0; n < 10; n += 1) void outcomeOf(resolver(ADA, UNNAMED)).then((outcome) => settled.push(outcome))
    await vi.advanceTimersByTimeAsync(4999)
    expect(settled).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toHaveLength(10)
    for (const outcome of settled) {
      expect(outcome).toMatchObject(CUT_OFF)
      expect((outcome.error as AuthError).headers['Retry-After']).toBe('1')
    }
    goOn()
  })

  it('fails before its commit once it was cut off: 503 means that nothing is written', async () => {
    const { resolver, storage, goOn, runs } = hangingResolver('before it is committed')
    const first = outcomeOf(resolver(ADA, UNNAMED))
    await vi.advanceTimersByTimeAsync(5000)
    expect(await first).toMatchObject(CUT_OFF)
    goOn()
    await aWhile()
    expect([await countRows(storage), runs()]).toEqual([{ users: 0, orgs: 0 }, 1])
    expect((await resolver(ADA, UNNAMED)).created).toBe(true)
  })

  it('while it is committed: the next request is not in its wake, and finds the user', async () => {
    const { resolver, storage, goOn } = hangingResolver('after it was committed')
    const first = outcomeOf(resolver(ADA, UNNAMED))
    await vi.advanceTimersByTimeAsync(5000)
    expect(await first).toMatchObject(CUT_OFF)
    expect((await resolver(ADA, UNNAMED)).created).not.toBe(true)
    goOn()
    await aWhile()
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })

  it.each([
    ['for good', new Error('connection lost')],
    ['for the moment', new TransientError('deadlock')],
  ])('and fails %s afterwards: not tried again, no unhandled rejection, nothing left', async (_, failure) => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    try {
      const { resolver, storage, goOn, runs } = hangingResolver('before it is committed')
      const first = outcomeOf(resolver(ADA, UNNAMED))
      await vi.advanceTimersByTimeAsync(5000)
      expect(await first).toMatchObject(CUT_OFF)
      goOn(failure)
      await aWhile()
      await vi.advanceTimersByTimeAsync(1000)
      await aWhile()
      expect([runs(), unhandled.mock.calls, vi.getTimerCount()]).toEqual([1, [], 0])
      expect(await countRows(storage)).toEqual({ users: 0, orgs: 0 })
    } finally {
      process.off('unhandledRejection', unhandled)
    }
  })

  it('has 5 seconds of its own after failures of the moment', async () => {
    const storage = createMemoryStorage()
    let runs = 0
    const transaction: MemoryStorage['transaction'] = (work) => {
      runs += 1
      if (runs === 1) throw new TransientError('deadlock')
      return storage.transaction(async (inside) => {
        await work(inside)
        return new Promise(() => undefined)
      })
    }
    const resolver = createProvisioner({ storage: { ...storage, transaction } })
    let settled: Outcome | null = null
    void outcomeOf(resolver(ADA, UNNAMED)).then((outcome) => {
      settled = outcome
    })
    await vi.advanceTimersByTimeAsync(4999)
    expect([runs, settled]).toEqual([2, null])
    await vi.advanceTimersByTimeAsync(100)
    expect(settled).toMatchObject(CUT_OFF)
  })

  it('is not cut off by a clock that jumps, as on a machine that did not let the process run', async () => {
    const { resolver, goOn } = hangingResolver('before it is committed')
    const first = outcomeOf(resolver(ADA, UNNAMED))
    vi.setSystemTime(Date.now() + 60_000)
    await vi.advanceTimersByTimeAsync(600)
    goOn()
    expect((await first).resolvedUser?.created).toBe(true)
  })

  it('leaves no timer behind where all goes well', async () => {
    const resolver = createProvisioner({ storage: createMemoryStorage() })
    expect((await resolver(ADA, UNNAMED)).created).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is no excuse: a refusal of the hook is that refusal', async () => {
    const bootstrap = (): never => {
      throw new AuthError('forbidden', { reason: 'not_invited' })
    }
    const resolver = createProvisioner({ storage: createMemoryStorage(), bootstrap })
    expect(await outcomeOf(resolver(ADA, UNNAMED))).toMatchObject({ error: { reason: 'not_invited' } })
  })
})

describe('an attempt that waits for a connection', () => {
  it('is not cut off at 5 seconds, and succeeds when it has one', async () => {
    const { resolver, goOn } = hangingResolver('before it begins')
    const first = outcomeOf(resolver(ADA, UNNAMED))
    await vi.advanceTimersByTimeAsync(60_000)
    goOn()
    expect((await first).resolvedUser?.created).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('without end is given up after 2 minutes, and does no work when it gets one after all', async () => {
    const { resolver, storage, goOn, hooks } = hangingResolver('before it begins')
    const first = outcomeOf(resolver(ADA, UNNAMED))
    await vi.advanceTimersByTimeAsync(120_000)
    expect(await first).toMatchObject(CUT_OFF)
    goOn()
    await aWhile()
    // Not even its hook runs, whose effects may be beyond the transaction.
    expect([await countRows(storage), hooks()]).toEqual([{ users: 0, orgs: 0 }, 0])
  })
})

describe('the 5 seconds of trying again', () => {
  /** A storage whose transactions wait first, fail while they work as often as told, and tell how often they ran. */
  function failing(
    times: number,
    where: 'at work' | 'before',
  ): { storage: MemoryStorage; now(): number; runs(): number } {
    const storage = createMemoryStorage()
    let [runs, now] = [0, 0]
    const transaction: MemoryStorage['transaction'] = async (work) => {
      runs += 1
      now += 8000
      if (runs <= times && where === 'before') throw new TransientError('no connection')
      return storage.transaction(async (inside) => {
        const done = await work(inside)
        if (runs <= times) throw new TransientError('deadlock')
        return done
      })
    }
    return { storage: { ...storage, transaction }, now: () => now, runs: () => runs }
  }
  const begin = ({ storage, now }: ReturnType<typeof failing>): Promise<Outcome> =>
    outcomeOf(createProvisioner({ storage, clock: now })(ADA, UNNAMED))

  it('count from the first failure: a long wait for a connection before it is not in them', async () => {
    const store = failing(1, 'at work')
    const first = begin(store)
    await vi.advanceTimersByTimeAsync(100)
    expect((await first).resolvedUser?.created).toBe(true)
    expect(store.runs()).toBe(2)
  })

  it.each([
    ['where none got to work, from its start', 'before', 1],
    ['and are over after another long one', 'at work', 2],
  ] as const)('%s', async (_name, where, runs) => {
    const store = failing(9, where)
    const first = begin(store)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await first).toMatchObject({ error: { reason: 'provisioning_not_committed' } })
    expect([store.runs(), await countRows(store.storage)]).toEqual([runs, { users: 0, orgs: 0 }])
  })
})
