/** A first login whose transaction never answers (R3): cut off after five seconds, told nobody twice, in nobody's way. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Admission, OrgSelection, User } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { countRows, identityOf } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const ADA = identityOf('ada')

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Stop = 'before it begins' | 'after it was committed'

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
    const isFirst = runs === 1
    if (isFirst && stop === 'before it begins') await promise
    const result = await storage.transaction(work)
    if (isFirst && stop === 'after it was committed') await promise
    return result
  }
  return {
    storage: { ...storage, transaction },
    goOn,
    runs: () => runs,
  }
}

type Outcome = { readonly admission?: Admission<User>; readonly error?: unknown }

const outcomeOf = (work: Promise<Admission<User>>): Promise<Outcome> =>
  work.then(
    (admission) => ({ admission }),
    (error: unknown) => ({ error }),
  )

const CUT_OFF = { error: { code: 'temporarily_unavailable', status: 503, reason: 'provisioning_cut_off' } }
const aWhile = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('an attempt that hangs', () => {
  it('is cut off at 5 seconds, not before, for everybody who shares it: 503 with Retry-After', async () => {
    const { storage, goOn } = hangingStorage('before it begins')
    const room = createProvisioner({ storage })
    const settled: Outcome[] = []
    for (let n = 0; n < 10; n += 1) void outcomeOf(room(ADA, UNNAMED)).then((outcome) => settled.push(outcome))
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

  it.each<[Stop, number]>([
    ['before it begins', 1],
    ['after it was committed', 0],
  ])('%s: the next request is not in its wake, and created is told %i times in all', async (stop, told) => {
    const { storage, goOn } = hangingStorage(stop)
    const room = createProvisioner({ storage })
    const first = outcomeOf(room(ADA, UNNAMED))
    await vi.advanceTimersByTimeAsync(5000)
    const outcomes = [await first, await outcomeOf(room(ADA, UNNAMED))]
    goOn()
    await aWhile()
    outcomes.push(await outcomeOf(room(ADA, UNNAMED)))
    expect(outcomes[0]).toMatchObject(CUT_OFF)
    expect(outcomes.slice(1).every(({ admission }) => admission !== undefined)).toBe(true)
    expect(outcomes.filter(({ admission }) => admission?.created === true)).toHaveLength(told)
    expect(await countRows(storage)).toEqual({ users: 1, orgs: 1 })
  })

  it.each([
    ['for good', new Error('connection lost')],
    ['for the moment', new TransientError('deadlock')],
  ])('and fails %s afterwards: not tried again, no unhandled rejection, nothing left', async (_, failure) => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    try {
      const { storage, goOn, runs } = hangingStorage('before it begins')
      const first = outcomeOf(createProvisioner({ storage })(ADA, UNNAMED))
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

  it('after failures of the moment has what they have left of the 5 seconds', async () => {
    let now = Date.now()
    const storage = createMemoryStorage()
    let runs = 0
    const transaction: MemoryStorage['transaction'] = async () => {
      runs += 1
      if (runs > 1) return new Promise(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 3000))
      now += 3000
      throw new TransientError('deadlock')
    }
    const room = createProvisioner({ storage: { ...storage, transaction }, clock: () => now })
    let settled: Outcome | null = null
    void outcomeOf(room(ADA, UNNAMED)).then((outcome) => {
      settled = outcome
    })
    await vi.advanceTimersByTimeAsync(4999)
    expect([runs, settled]).toEqual([2, null])
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toMatchObject(CUT_OFF)
  })

  it('leaves no timer behind where all goes well', async () => {
    const room = createProvisioner({ storage: createMemoryStorage() })
    expect((await room(ADA, UNNAMED)).created).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is no excuse: a refusal of the hook is that refusal', async () => {
    const bootstrap = (): never => {
      throw new AuthError('forbidden', { reason: 'not_invited' })
    }
    const room = createProvisioner({ storage: createMemoryStorage(), bootstrap })
    expect(await outcomeOf(room(ADA, UNNAMED))).toMatchObject({ error: { reason: 'not_invited' } })
  })
})
