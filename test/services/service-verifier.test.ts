// S1, S2, S4: service secrets. What construction refuses, who enters, and that every secret is compared each time.
import { inspect } from 'node:util'
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import type { ServiceVerifier } from '../../src/context.ts'
import * as constantTime from '../../src/lib/digest.ts'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { createServiceVerifier, type ServiceVerifierOptions } from '../../src/services/service-verifier.ts'
import { verdictOf } from '../verify/bench.ts'

vi.mock('../../src/lib/digest.ts', { spy: true })
afterEach(() => void vi.clearAllMocks())

const HEADER = 'X-Telephony-Secret'
const CURRENT = 'current-secret-of-telephony-0123456789'
const PREVIOUS = 'previous-secret-of-telephony-0123456789'
const WRONG = 'unauthorized:service_secret_wrong'

const withSecrets = (secrets: unknown): unknown =>
  createServiceVerifier({ services: { telephony: { header: HEADER, secrets } } } as ServiceVerifierOptions)

describe('construction', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['text instead of a list', CURRENT],
    ['an empty list', []],
    ['three', [CURRENT, PREVIOUS, `${CURRENT}3`]],
    ['the same twice', [CURRENT, CURRENT]],
    ['empty', ['']],
    ['blank', [' '.repeat(40)]],
    ['undefined inside', [undefined]],
    ['null inside', [CURRENT, null]],
    ['the text undefined', ['undefined']],
    ['31 characters', ['x'.repeat(31)]],
    ['a comma', [`${CURRENT},x`]],
    ['a space', [`${CURRENT} x`]],
    ['a trailing line feed', [`${CURRENT}\n`]],
    ['other letters', [`${CURRENT}é`]],
    ['DEL', [`${CURRENT}\x7f`]],
  ])('refuses %s', (_, secrets) => {
    expect(() => withSecrets(secrets)).toThrow(OptionsError)
    expect(() => withSecrets(secrets)).toThrow(/createServiceVerifier/)
    expect(() => withSecrets(secrets)).toThrow(/^(?!.*current-secret)/)
  })

  it.each<[string, unknown]>([
    ['no services', {}],
    ['services undefined', undefined],
    ['a service that is null', { a: null }],
    ['no header', { a: { secrets: null } }],
    ['a header that is none', { a: { header: 'X Secret', secrets: null } }],
    ['the header of bearers', { a: { header: 'authorization', secrets: null } }],
    ['the header of cookies', { a: { header: 'Cookie', secrets: null } }],
    ['a blank name', { ' ': { header: HEADER, secrets: null } }],
    ['a misspelt option', { a: { header: HEADER, secrets: null, secret: CURRENT } }],
    [
      'one secret for two services of a header',
      { a: { header: HEADER, secrets: [CURRENT] }, b: { header: HEADER.toLowerCase(), secrets: [CURRENT] } },
    ],
  ])('refuses %s', (_, services) => {
    expect(() => createServiceVerifier({ services } as ServiceVerifierOptions)).toThrow(OptionsError)
  })

  it('says all that is wrong at once, and where', () => {
    const services = {
      a: { header: 'Cookie', secrets: null },
      b: { header: HEADER, secrets: ['short'], secret: CURRENT },
    }
    const problems = [
      { option: 'services.a.header', message: 'must be a header of its own, not that of another credential' },
      { option: 'services.b.secrets', message: 'holds a secret that must be at least 32 bytes long' },
      { option: 'services.b.secret', message: 'is unknown' },
    ]
    const wrong = new OptionsError('createServiceVerifier', problems)
    expect(() => createServiceVerifier({ services } as never)).toThrow(wrong)
  })
})

describe('verify', () => {
  it('names the service, by any of its secrets, in any case of the header', async () => {
    const verifier = createServiceVerifier({
      services: { telephony: { header: HEADER, secrets: [CURRENT, PREVIOUS] } },
    })
    expectTypeOf(verifier).toEqualTypeOf<ServiceVerifier<'telephony', never>>()
    expect(await verifier.verify(HEADER, CURRENT)).toBe('telephony')
    expect(await verifier.verify(HEADER.toLowerCase(), PREVIOUS)).toBe('telephony')
    expect(verifier.services).toEqual([{ name: 'telephony', header: HEADER, permissions: [] }])
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['another case', CURRENT.toUpperCase()],
    ['a beginning', CURRENT.slice(0, -1)],
    ['more', `${CURRENT}x`],
    ['white space around', ` ${CURRENT}`],
    ['both', `${CURRENT}, ${PREVIOUS}`],
    ['the text null', 'null'],
    ['NUL bytes', '\0'.repeat(32)],
  ])('refuses %s', async (_, secret) => {
    const verifier = createServiceVerifier({ services: { telephony: { header: HEADER, secrets: [CURRENT] } } })
    expect(await verdictOf(verifier.verify(HEADER, secret))).toBe(WRONG)
  })

  it('rotates: both pass, then the old one does not (S4)', async () => {
    const after = createServiceVerifier({ services: { telephony: { header: HEADER, secrets: [CURRENT] } } })
    expect(await verdictOf(after.verify(HEADER, PREVIOUS))).toBe(WRONG)
  })

  it('lets nobody into a service without secrets, whose header still counts', async () => {
    const verifier = createServiceVerifier({ services: { telephony: { header: HEADER, secrets: null } } })
    expect(verifier.services).toEqual([{ name: 'telephony', header: HEADER, permissions: [] }])
    for (const secret of ['', 'null', 'undefined', CURRENT])
      expect(await verdictOf(verifier.verify(HEADER, secret))).toBe(WRONG)
  })

  it('tells services of one header apart by their secrets, and headers apart', async () => {
    const verifier = createServiceVerifier({
      services: {
        a: { header: 'X-Internal', secrets: [CURRENT] },
        b: { header: 'X-Internal', secrets: [PREVIOUS] },
        c: { header: 'X-Other', secrets: [CURRENT] },
      },
    })
    expect(await verifier.verify('X-Internal', CURRENT)).toBe('a')
    expect(await verifier.verify('X-Internal', PREVIOUS)).toBe('b')
    expect(await verifier.verify('X-Other', CURRENT)).toBe('c')
    expect(await verdictOf(verifier.verify('X-Other', PREVIOUS))).toBe(WRONG)
    expect(await verdictOf(verifier.verify('X-None', CURRENT))).toBe(WRONG)
  })

  it.each([
    ['the first', CURRENT],
    ['the second', PREVIOUS],
    ['neither', 'x'.repeat(40)],
    ['something short', ''],
  ])('compares every secret of the header each time: %s (S2)', async (_, secret) => {
    const verifier = createServiceVerifier({
      services: { telephony: { header: HEADER, secrets: [CURRENT, PREVIOUS] } },
    })
    await verdictOf(verifier.verify(HEADER, secret))
    const compared = vi.mocked(constantTime.isEqualConstantTime).mock.calls
    expect(compared).toHaveLength(2)
    // Digests on both sides: the secret itself is never compared.
    for (const [one, other] of compared) for (const side of [one, other]) expect(side).toMatch(/^[0-9a-f]{64}$/)
  })

  it('shows no secret (G2)', () => {
    const verifier = createServiceVerifier({ services: { telephony: { header: HEADER, secrets: [CURRENT] } } })
    expect(JSON.stringify(verifier) + inspect(verifier, { depth: 20, showHidden: true })).not.toContain(CURRENT)
  })
})
