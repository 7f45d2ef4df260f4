/** L3, L4, L5: hashes as text, their bounds, their work (counted at `node:crypto`), their slots. */
import * as nodeCrypto from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Argon2Function, createPasswordHasher, parseHash } from '../../src/login/password-hash.ts'
import { refusalOf } from '../pipeline/world.ts'
import { FAST, GOOD } from './login-world.ts'

type Argon2Input = Parameters<Argon2Function>[0]

const runs = vi.hoisted(() => [] as { N: number; r: number; p: number }[])

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof nodeCrypto>()
  const scrypt = (...given: Parameters<typeof real.scrypt>): void => {
    const { N = 0, r = 0, p = 0 } = given[3] as { N?: number; r?: number; p?: number }
    runs.push({ N, r, p })
    real.scrypt(...given)
  }
  return { ...real, argon2: (real as { argon2?: unknown }).argon2, scrypt }
})

beforeEach(() => void runs.splice(0))

const work = (): number => runs.reduce((sum, { N, r, p }) => sum + N * r * p, 0)
const fast = createPasswordHasher({ cost: FAST })

describe('a hash', () => {
  it('is a PHC string of scrypt with N=2^15, r=8, p=3 unless told, a salt of its own each time', async () => {
    const passwords = createPasswordHasher()
    const hash = await passwords.hash(GOOD)
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(runs).toEqual([{ N: 2 ** 15, r: 8, p: 3 }])
    expect(await passwords.hash(GOOD)).not.toBe(hash)
    expect(await passwords.verify(GOOD, hash)).toBe(true)
    expect(await passwords.verify(`${GOOD} `, hash)).toBe(false)
  })

  it('is the one that other implementations make (RFC 7914 §12, N=16 with a salt of this length)', async () => {
    const salt = Buffer.from('0123456789abcdef')
    const key = nodeCrypto.scryptSync('pleaseletmein', salt, 32, { N: 16, r: 1, p: 1 })
    const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
    const stored = `$scrypt$ln=4,r=1,p=1$${base64(salt)}$${base64(key)}`
    expect(await fast.verify('pleaseletmein', stored)).toBe(true)
    expect(await fast.verify('pleaseletmeIn', stored)).toBe(false)
  })

  it('has the whole password in it: nothing is cut, trimmed or folded', async () => {
    const long = 'x'.repeat(99)
    for (const [one, other] of [
      [`${long}a`, `${long}b`],
      ['a'.repeat(256), `${'a'.repeat(255)}b`],
      [GOOD, `${GOOD} `],
      [GOOD, GOOD.toUpperCase()],
      [`${GOOD}\0a`, `${GOOD}\0b`],
    ] as const) {
      const hash = await fast.hash(one)
      expect(await fast.verify(one, hash)).toBe(true)
      expect(await fast.verify(other, hash)).toBe(false)
    }
  })

  it('is of the NFKC form: what keyboards make of the same characters is one password', async () => {
    const hash = await fast.hash('Ångström-ﬁsh-café-12')
    expect(await fast.verify('A\u030angstro\u0308m-fish-cafe\u0301-12', hash)).toBe(true)
  })

  it('is never one of what is no password: over 1,024 bytes, or half a surrogate pair', async () => {
    for (const password of ['é'.repeat(513), 'a'.repeat(2000), 'tulip-cavern-\ud800-osprey']) {
      await expect(fast.hash(password)).rejects.toThrow(TypeError)
      expect(await fast.verify(password, await fast.hash(GOOD))).toBe(false)
    }
    expect(await fast.verify('tulip-\ufffd-cavern-91', await fast.hash('tulip-\ufffd-cavern-91'))).toBe(true)
    expect(await fast.verify('tulip-\ud800-cavern-91', await fast.hash('tulip-\ufffd-cavern-91'))).toBe(false)
  })
})

describe('the work of one verify', () => {
  const passwords = createPasswordHasher({ cost: { kind: 'scrypt', ln: 10, r: 8, p: 3 } })
  const wanted = 2 ** 10 * 8 * 3

  it('is one hash with the present cost for nobody, for a wrong and for a right password, for what is too long', async () => {
    const stored = await passwords.hash(GOOD)
    for (const [password, hash, verdict] of [
      [GOOD, null, false],
      ['wrong', stored, false],
      [GOOD, stored, true],
      ['', stored, false],
      ['x'.repeat(5000), stored, false],
      ['x'.repeat(5000), null, false],
    ] as const) {
      runs.splice(0)
      expect(await passwords.verify(password, hash)).toBe(verdict)
      expect(runs).toEqual([{ N: 2 ** 10, r: 8, p: 3 }])
    }
  })

  it.each([
    { ln: 10, r: 8, p: 1 },
    { ln: 9, r: 8, p: 1 },
    { ln: 9, r: 8, p: 6 },
    { ln: 8, r: 4, p: 2 },
    { ln: 4, r: 1, p: 1 },
  ])('is the same where an older hash is stored: %j', async (older) => {
    const stored = await createPasswordHasher({ cost: { kind: 'scrypt', ...older } }).hash(GOOD)
    for (const password of [GOOD, 'wrong']) {
      runs.splice(0)
      expect(await passwords.verify(password, stored)).toBe(password === GOOD)
      expect(Math.abs(work() / wanted - 1)).toBeLessThan(0.02)
    }
  })
})

describe('a stored hash that costs more, or is of another kind', () => {
  const cost = { kind: 'scrypt', ln: 6, r: 1, p: 2 } as const
  const argon2 = async ({ hashLength, ...input }: Argon2Input): Promise<Uint8Array> => {
    spent.push(input.memoryCost * input.timeCost)
    return nodeCrypto.scryptSync(input.password, input.salt, hashLength, { N: 2, r: 1, p: 1 })
  }
  const spent: number[] = []
  const argonCost = { kind: 'argon2id', m: 64, t: 3, p: 2 } as const
  const argonHash = () => createPasswordHasher({ cost: argonCost, argon2 }).hash(GOOD)

  it('is refused before any work', async () => {
    const passwords = createPasswordHasher({ cost, argon2 })
    const dearer = await createPasswordHasher({ cost: { ...cost, ln: 7 } }).hash(GOOD)
    const other = await argonHash()
    runs.splice(0)
    spent.splice(0)
    for (const stored of [dearer, other]) {
      await expect(passwords.verify(GOOD, stored)).rejects.toThrow('costs more than "cost" and "storedCosts"')
    }
    expect([runs, spent]).toEqual([[], []])
  })

  it('opens where its cost is said, and everybody pays what the dearest of each kind cost together', async () => {
    const dearer = { ...cost, ln: 7, p: 3 }
    const storedCosts = [dearer, { ...cost, ln: 5 }, argonCost, { ...argonCost, m: 32, t: 2 }]
    const passwords = createPasswordHasher({ cost, storedCosts, argon2 })
    const hashes = [
      await passwords.hash(GOOD),
      await createPasswordHasher({ cost: dearer }).hash(GOOD),
      await createPasswordHasher({ cost: { ...argonCost, m: 32, t: 2 }, argon2 }).hash(GOOD),
      await argonHash(),
    ]
    for (const stored of [null, ...hashes]) {
      runs.splice(0)
      spent.splice(0)
      expect(await passwords.verify(GOOD, stored)).toBe(stored !== null)
      expect(Math.abs(work() / (2 ** 7 * 3) - 1)).toBeLessThan(0.02)
      expect(spent.reduce((sum, each) => sum + each, 0)).toBe(64 * 3)
    }
  })
})

describe('needsRehash', () => {
  it('is whether a hash has another cost than the present one', async () => {
    const other = createPasswordHasher({ cost: { ...FAST, p: 2 } })
    const [mine, theirs] = [await fast.hash(GOOD), await other.hash(GOOD)]
    expect([fast.needsRehash(mine), fast.needsRehash(theirs), other.needsRehash(mine)]).toEqual([false, true, true])
    expect(fast.needsRehash('$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA')).toBe(true)
  })
})

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const HASH = 'A'.repeat(43)

describe('what a row may demand', () => {
  it.each([
    '',
    'password',
    '$2b$10$abcdefghijklmnopqrstuv',
    `$scrypt$ln=15,r=8$${SALT}$${HASH}`,
    `$scrypt$ln=15,r=8,p=3$${SALT}`,
    `$scrypt$ln=15,r=8,p=3$${SALT}$${HASH}$x`,
    `$scrypt$ln=15,r=8,p=3$${SALT}$${HASH}\n`,
    ` $scrypt$ln=15,r=8,p=3$${SALT}$${HASH}`,
    `$scrypt$ln=-1,r=8,p=3$${SALT}$${HASH}`,
    `$scrypt$ln=0,r=8,p=3$${SALT}$${HASH}`,
    `$scrypt$ln=15,r=0,p=3$${SALT}$${HASH}`,
    `$scrypt$ln=15,r=8,p=0$${SALT}$${HASH}`,
    `$scrypt$ln=18,r=8,p=1$${SALT}$${HASH}`,
    `$scrypt$ln=99,r=8,p=1$${SALT}$${HASH}`,
    `$scrypt$ln=17,r=8,p=16$${SALT}$${HASH}`,
    `$scrypt$ln=15,r=99,p=99$${SALT}$${HASH}`,
    `$scrypt$ln=4,r=1,p=1$YQ$${HASH}`,
    `$scrypt$ln=4,r=1,p=1$${SALT}$YQ`,
    `$scrypt$ln=4,r=1,p=1$${SALT}$${'A'.repeat(400)}`,
    `$scrypt$ln=4,r=1,p=1$${'A'.repeat(4000)}$${HASH}`,
    `$argon2id$v=19$m=999999,t=2,p=1$${SALT}$${HASH}`,
    `$argon2id$v=19$m=19456,t=99,p=1$${SALT}$${HASH}`,
    `$argon2id$v=16$m=19456,t=2,p=1$${SALT}$${HASH}`,
    `$argon2id$v=19$m=8,t=2,p=4$${SALT}$${HASH}`,
  ])('%s is a fault of the row, before any work', async (stored) => {
    expect(() => parseHash(stored)).toThrow('sallyport: a stored password hash')
    await expect(fast.verify(GOOD, stored)).rejects.toThrow('sallyport: a stored password hash')
    expect(runs).toEqual([])
    expect(await fast.verify(GOOD, await fast.hash(GOOD))).toBe(true)
  })

  it('is said without the row', () => {
    const fault = (text: string): string => {
      try {
        parseHash(text)
        return ''
      } catch (error) {
        return String(error)
      }
    }
    expect(fault(`$scrypt$ln=31,r=8,p=1$${SALT}$${HASH}`)).not.toContain(SALT)
  })
})

describe('the options', () => {
  it.each([
    [{ cost: { kind: 'bcrypt' } }, 'option "cost" must be of kind'],
    [{ cost: { kind: 'scrypt', ln: 18, r: 8, p: 1 } }, 'option "cost" must need at most 128 MiB'],
    [{ cost: { kind: 'scrypt', ln: '15', r: 8, p: 3 } }, 'option "cost"'],
    [{ cost: { kind: 'scrypt', ln: 1.5, r: 8, p: 3 } }, 'option "cost" must be whole numbers'],
    [{ cost: { kind: 'argon2id', m: 19_456, t: 2 } }, 'option "cost"'],
    [{ storedCosts: FAST }, 'option "storedCosts"'],
    [{ storedCosts: [{ kind: 'scrypt', ln: 18, r: 8, p: 1 }] }, 'option "storedCosts" must need at most 128 MiB'],
    [{ argon2: 'argon2' }, 'option "argon2"'],
    [{ maxConcurrent: 0 }, 'option "maxConcurrent"'],
    [{ maxConcurrent: 2.5 }, 'option "maxConcurrent" must be a whole number'],
    [{ maxQueued: -1 }, 'option "maxQueued"'],
    [{ maxQueued: 2.5 }, 'option "maxQueued" must be a whole number'],
    [{ costs: FAST }, 'unknown option "costs"'],
  ])('%j is refused', (options, sentence) => {
    expect(() => createPasswordHasher(options as never)).toThrow(sentence)
    expect(() => createPasswordHasher(options as never)).toThrow(TypeError)
  })

  const hasArgon2 = (nodeCrypto as { argon2?: unknown }).argon2 !== undefined
  it.skipIf(hasArgon2)('argon2id is refused where the runtime has none', () => {
    const cost = { kind: 'argon2id', m: 19_456, t: 2, p: 1 } as const
    expect(() => createPasswordHasher({ cost })).toThrow('names argon2id, which this runtime has not')
  })

  it.skipIf(hasArgon2)('a stored argon2id is a fault of ours there, never a wrong password', async () => {
    const stored = `$argon2id$v=19$m=8,t=1,p=1$${SALT}$${HASH}`
    await expect(fast.verify(GOOD, stored)).rejects.toThrow('sallyport: a stored password hash')
  })

  const ARGON = { kind: 'argon2id', m: 64, t: 3, p: 2 } as const

  it('argon2id may be handed in: it gets all it needs, its raw hash goes into the PHC string, and it takes over', async () => {
    const asked: Argon2Input[] = []
    const argon2 = async (input: Argon2Input): Promise<Uint8Array> => {
      asked.push(input)
      return nodeCrypto.scryptSync(input.password, input.salt, input.hashLength, { N: 2, r: 1, p: 1 })
    }
    const argon = createPasswordHasher({ cost: ARGON, argon2, storedCosts: [FAST] })
    const hash = await argon.hash(GOOD)
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=64,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    const { salt } = parseHash(hash)
    const password = new TextEncoder().encode(GOOD)
    const costs = { memoryCost: 64, timeCost: 3, parallelism: 2, hashLength: 32 }
    expect(asked).toEqual([{ password, salt: new Uint8Array(salt), ...costs }])
    expect([await argon.verify(GOOD, hash), await argon.verify('wrong', hash)]).toEqual([true, false])
    expect([await argon.verify(GOOD, null), asked.length]).toEqual([false, 4])
    const old = await fast.hash(GOOD)
    expect([await argon.verify(GOOD, old), argon.needsRehash(old), argon.needsRehash(hash)]).toEqual([
      true,
      true,
      false,
    ])
    const reader = createPasswordHasher({ cost: FAST, argon2, storedCosts: [ARGON] })
    expect([await reader.verify(GOOD, hash), reader.needsRehash(hash)]).toEqual([true, true])
  })

  it.each([
    ['an encoded text', '$argon2id$v=19$m=64,t=3,p=2$c2FsdA$aGFzaA'],
    ['a hash of another length', new Uint8Array(31)],
    ['nothing', undefined],
  ])('what is handed in and makes %s is a fault of ours', async (_, made) => {
    const argon = createPasswordHasher({ cost: ARGON, argon2: async () => made as never })
    await expect(argon.hash(GOOD)).rejects.toThrow('"argon2" must hand back the 32 bytes')
    await expect(argon.verify(GOOD, null)).rejects.toThrow('"argon2" must hand back the 32 bytes')
  })

  it.runIf(hasArgon2)('argon2id hashes, verifies and takes over from scrypt', async () => {
    const argon = createPasswordHasher({ cost: { kind: 'argon2id', m: 64, t: 1, p: 1 }, storedCosts: [FAST] })
    const hash = await argon.hash(GOOD)
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    expect([await argon.verify(GOOD, hash), await argon.verify('wrong', hash)]).toEqual([true, false])
    const old = await fast.hash(GOOD)
    expect([await argon.verify(GOOD, old), argon.needsRehash(old)]).toEqual([true, true])
  })
})

describe('the queue', () => {
  it('has two slots and 64 places: the rest is 503 at once', async () => {
    const passwords = createPasswordHasher({ cost: FAST })
    const results = await Promise.allSettled(Array.from({ length: 80 }, () => passwords.verify(GOOD, null)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(66)
    expect(runs).toHaveLength(66)
    const { code, headers } = await refusalOf(() =>
      Promise.all(Array.from({ length: 67 }, () => passwords.verify(GOOD, null))),
    )
    expect([code, headers['Retry-After']]).toEqual(['temporarily_unavailable', '5'])
  })

  it('keeps a quarter of the places, and hashes twice in one', async () => {
    const passwords = createPasswordHasher({ cost: FAST, maxConcurrent: 1, maxQueued: 8 })
    const take = (mayTakeKept: boolean) => passwords.takePlace?.(mayTakeKept)
    const places = Array.from({ length: 7 }, () => take(false))
    await expect(async () => take(false)).rejects.toMatchObject({ reason: 'password_queue_full' })
    for (let i = 0; i < 2; i++) places.push(take(true))
    await expect(async () => take(true)).rejects.toMatchObject({ reason: 'password_queue_full' })
    const [place] = places
    const hash = await passwords.hash(GOOD, place)
    expect(await passwords.verify(GOOD, hash, place)).toBe(true)
    await expect(passwords.verify(GOOD, hash)).rejects.toMatchObject({ reason: 'password_queue_full' })
    place?.leave()
    expect(await passwords.verify(GOOD, hash)).toBe(true)
  })

  it('leaks no slot: after a thousand faults as many hashes run as before', async () => {
    const passwords = createPasswordHasher({ cost: FAST, maxQueued: 2000 })
    const faults = Array.from({ length: 1000 }, (_, i) =>
      i % 2 === 0 ? passwords.verify(GOOD, '$scrypt$') : passwords.hash('\ud800'),
    )
    await Promise.allSettled(faults)
    expect(await Promise.all([1, 2, 3, 4].map(() => passwords.verify(GOOD, null)))).toEqual(Array(4).fill(false))
  })
})
