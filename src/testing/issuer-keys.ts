/**
 * The key pairs of a test issuer: what signs now, what is published, what comes and goes at a rotation.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)

/** Algorithms a test issuer has key pairs for. */
export type KeyAlgorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A public key as a JWK Set holds it (RFC 7517). */
export interface PublicJwk {
  readonly kty: string
  readonly kid: string
  readonly alg: string
  readonly use: 'sig'
  readonly crv?: string | undefined
  readonly x?: string | undefined
  readonly y?: string | undefined
  readonly n?: string | undefined
  readonly e?: string | undefined
}

/** A key pair of a test issuer. */
export interface IssuerKey {
  readonly algorithm: KeyAlgorithm
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The published form, with `kid`, `alg` and `use`. */
  readonly publicJwk: PublicJwk
}

/** The keys of an issuer, by algorithm. */
export interface IssuerKeys {
  current(algorithm: KeyAlgorithm): IssuerKey | undefined
  published(): readonly IssuerKey[]
  replace(algorithm: KeyAlgorithm, overlap: boolean, key?: IssuerKey): Promise<IssuerKey>
  drop(kid: string): void
}

/**
 * Generate a key pair.
 *
 * @param algorithm ES256 (P-256), RS256 (2,048 bits) or EdDSA (Ed25519)
 * @param kid the key id to publish it under
 */
export async function createIssuerKey(algorithm: KeyAlgorithm, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await pairFor(algorithm)
  const publicJwk = Object.freeze({
    ...publicKey.export({ format: 'jwk' }),
    kid,
    alg: algorithm,
    use: 'sig',
  }) as unknown as PublicJwk
  return Object.freeze({ algorithm, kid, privateKey, publicKey, publicJwk })
}

function pairFor(algorithm: KeyAlgorithm): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  if (algorithm === 'ES256') return generate('ec', { namedCurve: 'P-256' })
  if (algorithm === 'RS256') return generate('rsa', { modulusLength: 2048 })
  return generate('ed25519')
}

/** Hold the keys of one issuer, in the order they were made. */
export function createIssuerKeys(initial: readonly IssuerKey[]): IssuerKeys {
  const signing = new Map<KeyAlgorithm, IssuerKey>()
  let published: IssuerKey[] = []
  let made = 0
  const put = (key: IssuerKey): void => {
    signing.set(key.algorithm, key)
    published = [...published.filter(({ kid }) => kid !== key.kid), key]
    made += 1
  }
  initial.forEach(put)
  const drop = (kid: string): void => {
    published = published.filter((key) => key.kid !== kid)
  }
  return {
    current: (algorithm) => signing.get(algorithm),
    published: () => published,
    drop,
    async replace(algorithm, overlap, given) {
      const old = signing.get(algorithm)
      const key = given ?? (await createIssuerKey(algorithm, `${algorithm.toLowerCase()}-${made + 1}`))
      if (!overlap && old !== undefined) drop(old.kid)
      put(key)
      return key
    },
  }
}
