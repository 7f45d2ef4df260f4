// T1, T8: both engines and jose say the same of every signature, good or made to look so. Any bytes at all may stand for one;
// none of them makes a check throw.
import { describe, expect, it } from 'vitest'
import { createNodeEngine, type NodeCrypto, type SignatureCheck } from '../../src/verify/signature.ts'
import type { KeyAlgorithm, SecretAlgorithm } from '../../src/verify/token-form.ts'
import { checksOf, disagreements, ENGINES, joseCheckOf, node, textOf } from './signature-engines.ts'
import { type VectorGroup, vectorGroups } from './signature-vectors.ts'

const groups = vectorGroups()

describe.each(groups.map((group) => [group.algorithm, group.what, group] as const))('%s, %s', (_, __, group) => {
  it('means the same to both engines and to jose', async () => {
    const [jose, ...checks] = [await joseCheckOf(group), ...(await checksOf(group))] as [
      SignatureCheck,
      ...SignatureCheck[],
    ]
    for (const { name, signature, isGood } of group.vectors) {
      const said = await jose(group.input, textOf(signature))
      expect(said, `jose: ${name}`).toBe(isGood ?? said)
      for (const isSigned of checks) expect(await isSigned(group.input, textOf(signature)), name).toBe(said)
    }
  })
})

it('means the same to all of them after 2,000 mutations', async () => {
  expect(await disagreements(groups, 2000, 20_260_101)).toEqual([])
})

it('a key of another algorithm, or of the same one, knows none of these signatures', async () => {
  const firsts = groups.map((group) => [group, group.vectors[0]] as const)
  for (const group of groups) {
    const checks = await checksOf(group)
    for (const [other, vector] of firsts) {
      if (other === group || vector?.isGood !== true) continue
      for (const isSigned of checks) expect(await isSigned(other.input, textOf(vector.signature))).toBe(false)
    }
  }
})

describe('what is checked at once', () => {
  const isAtOnce = async (group: VectorGroup): Promise<boolean> => {
    const [byNode, byWeb] = (await checksOf(group)) as [SignatureCheck, SignatureCheck]
    expect(byWeb(group.input, 'AAAA')).toBeInstanceOf(Promise)
    return typeof byNode(group.input, 'AAAA') === 'boolean'
  }

  it.each(groups.map((group) => [group.algorithm, group.what, group] as const))('%s, %s', async (_, what, group) => {
    const isDear = what.includes('4096') || what.includes('65539')
    expect(await isAtOnce(group)).toBe(/^(HS|RS|PS)/.test(group.algorithm) && !isDear)
  })

  it.each([
    [2048, true],
    [2056, false],
    [3072, false],
    [8192, false],
  ])('a modulus of %i bits: %s', async (bits, isCheap) => {
    const modulus = Buffer.alloc(bits / 8, 0xff)
    const isSigned = await ENGINES.node.byPublicKey(
      { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' },
      'RS256',
    )
    expect(typeof isSigned('a.b', 'AAAA') === 'boolean').toBe(isCheap)
  })
})

describe('a runtime with half a node:crypto', () => {
  const missing = (): never => {
    throw new Error('not implemented')
  }
  const half = (more: Partial<NodeCrypto>): NodeCrypto => ({ ...node, ...more })

  it.each<[string, Partial<NodeCrypto>, string]>([
    ['createSecretKey', { createSecretKey: missing }, 'HS256'],
    ['createHmac', { createHmac: missing }, 'HS256'],
    ['a digest in base64url', { createHmac: () => ({ update: () => ({ digest: () => '+/==' }) }) }, 'HS256'],
    ['createPublicKey', { createPublicKey: missing }, 'RS256'],
    ['createVerify', { createVerify: missing }, 'PS256'],
  ])('%s: WebCrypto serves instead', async (_, more, algorithm) => {
    const group = groups.find((each) => each.algorithm === algorithm) as VectorGroup
    const made = createNodeEngine(half(more))
    const isSigned =
      group.secret === null
        ? await made.byPublicKey(group.members, algorithm as KeyAlgorithm)
        : made.bySecret(group.secret, algorithm as SecretAlgorithm)
    expect(isSigned(group.input, 'AAAA')).toBeInstanceOf(Promise)
    for (const { signature, isGood } of group.vectors) {
      expect(await isSigned(group.input, textOf(signature))).toBe(isGood)
    }
  })
})

it.each(['RS256', 'PS256'])('%s is what it is, whatever Object.prototype says of padding', async (algorithm) => {
  const group = groups.find((each) => each.algorithm === algorithm) as VectorGroup
  const written = { padding: 'x', saltLength: 'x', dsaEncoding: 'x' }
  const isSigned = await ENGINES.node.byPublicKey(group.members, algorithm as KeyAlgorithm)
  Object.assign(Object.prototype, written)
  try {
    for (const { signature, isGood } of group.vectors) {
      if (isGood !== null) expect(await isSigned(group.input, textOf(signature))).toBe(isGood)
    }
  } finally {
    for (const name of Object.keys(written)) Reflect.deleteProperty(Object.prototype, name)
  }
})

it.each(Object.entries(ENGINES))('%s: what is no key of the algorithm rejects', async (_, each) => {
  const rsa = (groups.find(({ algorithm }) => algorithm === 'RS256') as VectorGroup).members
  const ec = (groups.find(({ algorithm }) => algorithm === 'ES256') as VectorGroup).members
  await expect(each.byPublicKey(ec, 'RS256')).rejects.toThrow()
  await expect(each.byPublicKey(rsa, 'ES256')).rejects.toThrow()
  await expect(each.byPublicKey({ ...ec, y: ec['x'] as string }, 'ES256')).rejects.toThrow()
  await expect(each.byPublicKey({}, 'RS256')).rejects.toThrow()
})
