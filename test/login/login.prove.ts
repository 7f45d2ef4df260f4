/** The timed and full-size proofs of local login: nobody tells users apart by time, one admin is left, memory is bounded. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { createThrottle, DEFAULT_LIMITS } from '../../src/login/throttle.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { HOSTS, listen } from '../support/hosts.ts'
import { createLoginWorld, GOOD, type LoginWorld } from './login-world.ts'

const RAISED = { accountFailures: 1_000_000, addressFailures: 1_000_000 }
const median = (values: readonly number[]): number => quantile(values, 0.5)

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number
}

async function serve(
  world: LoginWorld,
): Promise<{ readonly url: string; logIn(email: string, password: string): Promise<number>; close(): Promise<void> }> {
  const mounted = { auth: world.auth, routes: world.login.routes, endpoints: [] }
  const { url, close } = await listen(HOSTS['express 5'](mounted as never))
  return {
    url,
    close,
    async logIn(email, password) {
      const response = await fetch(`${url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password }),
      })
      await response.arrayBuffer()
      return response.status
    },
  }
}

describe('enumeration by time (L1)', () => {
  const KINDS = ['unknown', 'wrong', 'disabled', 'none', 'older', 'oldest']
  const cost = { kind: 'scrypt', ln: 14, r: 8, p: 1 } as const

  async function createCrowd(): Promise<LoginWorld> {
    const hashOf = (more: object) => createPasswordHasher({ cost: { ...cost, ...more } }).hash(GOOD)
    const world = createLoginWorld({ passwords: createPasswordHasher({ cost }), throttle: RAISED })
    await world.account('wrong@example.test')
    await world.account('disabled@example.test', 'viewer', { disabled: true })
    await world.account('none@example.test', 'viewer', { passwordHash: null })
    await world.account('older@example.test', 'viewer', { passwordHash: await hashOf({ ln: 13 }) })
    await world.account('oldest@example.test', 'viewer', { passwordHash: await hashOf({ ln: 11 }) })
    return world
  }

  // Every round in another order: each kind comes after each other one equally often.
  function orderOf(round: number): readonly string[] {
    const order = [...KINDS]
    for (let i = order.length - 1, seed = round * 7919 + 17; i > 0; i--) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      const other = seed % (i + 1)
      ;[order[i], order[other]] = [order[other] as string, order[i] as string]
    }
    return order
  }

  // One verdict on all rounds: a leak can't pass by a lucky run. Compared within a round, so that a machine that is busy for
  // a while slows all of its tries, and a median, so that one stall counts as one.
  it('medians of 400 + 400 interleaved tries are within 5 %: unknown, wrong, disabled, no password, old hashes', async () => {
    const { logIn, close } = await serve(await createCrowd())
    const ratios = new Map(KINDS.map((kind) => [kind, [] as number[]]))
    for (let round = -10; round < 400; round++) {
      const times = new Map<string, number>()
      for (const kind of orderOf(round + 10)) {
        const started = performance.now()
        expect(await logIn(`${kind}@example.test`, kind === 'disabled' ? GOOD : 'wrong')).toBe(401)
        times.set(kind, performance.now() - started)
      }
      const unknown = times.get('unknown') as number
      if (round >= 0) for (const kind of KINDS) ratios.get(kind)?.push((times.get(kind) as number) / unknown)
    }
    await close()
    const medians = KINDS.map((kind) => [kind, median(ratios.get(kind) as number[])] as const)
    console.log('to unknown:', medians.map(([kind, ratio]) => `${kind} ${ratio.toFixed(3)}`).join(', '))
    expect(medians.filter(([, ratio]) => Math.abs(ratio - 1) >= 0.05)).toEqual([])
  })
})

describe('two admins (L15)', () => {
  it('demote, disable or delete each other 200 times in parallel: one is always left', async () => {
    const world = createLoginWorld()
    for (let round = 0; round < 200; round++) {
      const emails = ['a', 'b'].map((name) => `${name}${round}@example.test`)
      const two = await Promise.all(emails.map((email) => world.account(email, 'admin')))
      const tokens = await Promise.all(emails.map((email) => world.signIn(email)))
      const answers = await Promise.all(
        two.map(({ id }, i) => {
          const token = tokens[1 - i] as string
          if ((round + i) % 3 === 0) return world.call('DELETE', `/users/${id}`, { token })
          const body = (round + i) % 3 === 1 ? { role: 'viewer' } : { disabled: true }
          return world.call('PATCH', `/users/${id}`, { token, body })
        }),
      )
      const left = (await world.storage.accounts.list()).filter(({ role, disabled }) => role === 'admin' && !disabled)
      expect(left).toHaveLength(1)
      expect(answers.every(({ status }) => [200, 204, 401, 403, 409].includes(status))).toBe(true)
      await world.storage.accounts.remove(left[0]?.id as string)
    }
  })
})

describe('memory (R1)', () => {
  it('of a full store is under 24 MB; of 1,000,000 random e-mails from random addresses after that RSS grows by less than 30 MB beyond the full store', async () => {
    setFlagsFromString('--expose_gc')
    const gc = runInNewContext('gc') as () => void
    let now = Date.parse('2026-11-20T10:00:00Z')
    const throttle = createThrottle(createMemoryAccounts().throttle, DEFAULT_LIMITS, () => now)
    const fail = (i: number) =>
      throttle.attempt(
        { email: `${i}@example.test`, address: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}` },
        async () => null,
      )
    const heap = (): number => {
      gc()
      gc()
      return process.memoryUsage().rss / 2 ** 20
    }
    heap()
    const empty = process.memoryUsage().heapUsed
    // An e-mail and an address each: the store holds its 100,000 keys by now.
    for (let i = 0; i < 100_000; i++) await fail(i)
    const before = heap()
    const full = (process.memoryUsage().heapUsed - empty) / 1e6
    console.log('a full store holds MB', full)
    expect(full).toBeLessThan(24)
    for (let i = 100_000; i < 1_100_000; i++) {
      now += 1
      await fail(i)
    }
    const grown = heap() - before
    console.log('RSS grew by MB', grown)
    expect(grown).toBeLessThan(30)
  })
})
