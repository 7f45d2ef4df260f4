// Both engines and jose beside each other: who says what of a signature, and whether all say the same of damaged ones.
import * as nodeCrypto from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import {
  createNodeEngine,
  engine,
  type NodeCrypto,
  type SignatureCheck,
  type SignatureEngine,
  webEngine,
} from '../../src/verify/signature.ts'
import type { KeyAlgorithm, SecretAlgorithm } from '../../src/verify/token-form.ts'
import { createRandom } from './mutate.ts'
import type { VectorGroup } from './signature-vectors.ts'

export const node: NodeCrypto = nodeCrypto as object as NodeCrypto
export const ENGINES: Readonly<Record<'node' | 'web' | 'own', SignatureEngine>> = {
  node: createNodeEngine(node),
  web: webEngine,
  own: engine,
}

/** As a token has it. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** The check of a group's key by each engine. */
export function checksOf({ algorithm, secret, members }: VectorGroup): Promise<SignatureCheck[]> {
  return Promise.all(
    Object.values(ENGINES).map((each) =>
      secret === null
        ? each.byPublicKey(members, algorithm as KeyAlgorithm)
        : each.bySecret(secret, algorithm as SecretAlgorithm),
    ),
  )
}

/** The same by jose. */
export async function joseCheckOf({ algorithm, secret, members }: VectorGroup): Promise<SignatureCheck> {
  const key = secret ?? (await importJWK({ ...members }, algorithm))
  return (input, signature) =>
    compactVerify(`${input}.${signature}`, key).then(
      () => true,
      () => false,
    )
}

type Mutation = (signature: Buffer, random: () => number) => Uint8Array

const at = (length: number, random: () => number): number => Math.floor(random() * length)

const MUTATIONS: readonly Mutation[] = [
  (bytes) => bytes,
  (bytes, random) => {
    const index = at(bytes.length, random)
    return bytes.map((byte, each) => (each === index ? byte ^ (1 << at(8, random)) : byte))
  },
  (bytes, random) => {
    const index = at(bytes.length, random)
    return bytes.map((byte, each) => (each === index ? at(256, random) : byte))
  },
  (bytes, random) => bytes.subarray(0, at(bytes.length, random)),
  (bytes, random) => bytes.subarray(at(bytes.length, random)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + at(3, random), at(256, random))]),
  (bytes, random) => Buffer.concat([Buffer.alloc(1 + at(3, random)), bytes]),
  (bytes, random) => {
    const [from, size, fill] = [at(bytes.length, random), at(bytes.length, random), random() < 0.5 ? 0 : 0xff]
    return bytes.map((byte, each) => (each >= from && each < from + size ? fill : byte))
  },
  (bytes, random) => Buffer.from(Array.from(bytes, () => at(256, random))),
]

/** Damage `count` signatures of all groups in turn, some of them not at all: of which not all say the same, or the wrong thing. */
export async function disagreements(groups: readonly VectorGroup[], count: number, seed: number): Promise<string[]> {
  const random = createRandom(seed)
  const ready = await Promise.all(
    groups.map(async (group) => ({ group, jose: await joseCheckOf(group), checks: await checksOf(group) })),
  )
  const found: string[] = []
  const compare = async (number: number): Promise<void> => {
    const { group, jose, checks } = ready[number % ready.length] as (typeof ready)[number]
    const { signature } = group.vectors[at(group.vectors.length, random)] as VectorGroup['vectors'][number]
    const mutate = MUTATIONS[at(MUTATIONS.length, random)] as Mutation
    const text = textOf(signature.length === 0 ? signature : mutate(Buffer.from(signature), random))
    const input = random() < 0.9 ? group.input : `${group.input}${String.fromCharCode(65 + at(26, random))}`
    const said = await Promise.all([jose, ...checks].map((isSigned) => isSigned(input, text)))
    const isGood = group.vectors.some((vector) => vector.isGood === true && textOf(vector.signature) === text)
    const isOpen = group.vectors.some((vector) => vector.isGood === null)
    const isRight = isOpen || said[0] === (isGood && input === group.input)
    if (new Set(said).size === 1 && isRight) return
    found.push(`${group.algorithm}, ${group.what}: ${said.join()}: ${Buffer.from(text, 'base64url').toString('hex')}`)
  }
  for (let done = 0; done < count; done += 32) {
    await Promise.all(Array.from({ length: Math.min(32, count - done) }, (_, each) => compare(done + each)))
  }
  return found
}
