/**
 * Tokens of a provider's shape as labelled data, one good token per class and others that are wrong in one thing, and the
 * test that signs and verifies them. Wherever the preset has its keys from, there are those of this process.
 */
import { afterAll, describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/context.ts'
import { createJwtVerifier, type IssuerOptions } from '../../../src/index.ts'
import { createTokenIssuer, type SigningAlgorithm } from '../../../src/testing/token-issuer.ts'
import { openSnippets } from '../../readme/snippets.ts'

/** Claims by name; `undefined` takes one away from the base. */
export type Claims = Readonly<Record<string, unknown>>

/** One token, and what is made of it. */
export interface TokenCase {
  readonly label: string
  /** What differs from the base's claims. Default: nothing. */
  readonly claims?: Claims
  /** The `typ` header. Default: the base's. */
  readonly typ?: string | null
  /** Another preset than the base's: the same with further options. */
  readonly preset?: IssuerOptions
  /** What stands in the identity; or the code and the reason of the refusal. */
  readonly expected: Partial<Identity> | readonly [code: string, reason: string]
}

/** The cases of one preset. */
export interface PresetCases {
  readonly name: string
  readonly preset: IssuerOptions
  /**
   * The same as docs/issuers-written-out.md writes it out (`clerk.long.ts`): it says what the preset says, and answers the same tokens alike.
   */
  readonly page?: string
  /** A good token's claims, and its `typ` (`null`: none). */
  readonly base: { readonly claims: Claims; readonly typ: string | null; readonly algorithm?: SigningAlgorithm }
  readonly cases: readonly TokenCase[]
}

const NOW = Date.UTC(2026, 5, 1)
// What a test issuer writes by itself, taken away: a provider's token has what the provider writes.
const NONE = { aud: undefined, email: undefined, email_verified: undefined, role: undefined }
const issuer = await createTokenIssuer({ clock: () => NOW })

/** Declare a test for every case. */
export function describePreset({ name, preset, page, base, cases }: PresetCases): void {
  describe(`tokens of ${name}`, () => {
    it('has at least twelve of them, each with a label of its own', () => {
      expect(new Set(cases.map(({ label }) => label)).size).toBe(cases.length)
      expect(cases.length).toBeGreaterThanOrEqual(12)
    })

    it.each(cases.map((each) => [each.label, each] as const))('%s', (_label, each) =>
      verifyCase(each, base, each.preset ?? preset),
    )
  })
  if (page === undefined) return
  describe(`${page} of the pages`, () => {
    const { load, remove } = openSnippets()
    const written = load<{ long: IssuerOptions }>(page)
    const ofPreset = cases.filter((each) => each.preset === undefined)

    afterAll(remove)

    it('is what the preset writes', async () => {
      expect(dataOf((await written).long)).toEqual(dataOf(preset))
    })

    it.each(ofPreset.map((each) => [each.label, each] as const))('%s', async (_label, each) =>
      verifyCase(each, base, (await written).long),
    )
  })
}

async function verifyCase(each: TokenCase, base: PresetCases['base'], options: IssuerOptions): Promise<void> {
  const claims = { ...NONE, ...base.claims, ...each.claims }
  const typ = each.typ === undefined ? base.typ : each.typ
  const token = await issuer.sign(claims, { algorithm: base.algorithm ?? 'RS256', typ })
  // Its metadata and its keys in one answer.
  const metadata = { issuer: [options.issuer].flat()[0], jwks_uri: 'https://keys.test/jwks' }
  const fetch = async (): Promise<Response> => Response.json({ ...metadata, ...issuer.jwks() })
  const verifier = createJwtVerifier({ issuers: [options], clock: () => NOW, fetch })
  if (!isRefusal(each.expected)) return expect(await verifier.verify(token)).toMatchObject(each.expected)
  const [code, reason] = each.expected
  await expect(verifier.verify(token)).rejects.toMatchObject({ code, reason })
}

/** What options say, but for what their functions answer. */
export function dataOf({ claims = {}, ...options }: IssuerOptions): object {
  const places = Object.keys(claims).length > 0 ? { claims: withoutFunctions(claims) } : {}
  return { ...withoutFunctions(options), ...places }
}

function withoutFunctions(given: object): object {
  const entries = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === 'function' ? 'a function' : value,
  ])
  return Object.fromEntries(entries)
}

function isRefusal(expected: TokenCase['expected']): expected is readonly [code: string, reason: string] {
  return Array.isArray(expected)
}

/** An option that is wrong: what is, the option named, and some of what is said of it. */
export type Mistake<O> = readonly [
  what: string,
  options: { readonly [K in keyof O]?: unknown },
  option: string,
  says?: RegExp,
]

/** Declare a test for every mistake: over options that are right. */
export function describeMistakes<O extends object>(
  create: (options: O) => IssuerOptions,
  right: NoInfer<O>,
  mistakes: readonly Mistake<NoInfer<O>>[],
): void {
  it.each(mistakes.map((each) => [each[0], each] as const))('refuses %s', (_what, [, options, option, says = /./]) => {
    const message = expect.stringMatching(says)
    expect(() => create({ ...right, ...options } as O)).toThrow(
      expect.objectContaining({ name: 'OptionsError', option, message }),
    )
  })

  it('takes undefined for what is optional', () => {
    const optional = { claims: undefined }
    expect(JSON.stringify(create({ ...right, ...optional }))).toBe(JSON.stringify(create(right)))
  })
}
