/** The secrets of HMACs: what may be one, as text, bytes or base64, and the keys made of them, one for each algorithm. */
import { decodeBase64Url } from '../lib/base64url.ts'
import { describeKeyMaterial, describeSigningSecret, describeText, isSampleSecret } from '../lib/secret-check.ts'
import { bitsOf, engine, type VerifyingKey } from './signature.ts'
import { SECRET_ALGORITHMS, type SecretAlgorithm } from './token-form.ts'

/** A secret: a text, whose UTF-8 bytes count unless `encoding` says otherwise, or the bytes themselves. */
export type Secret = string | Uint8Array

/** HMAC with a shared secret; two while it is being changed. */
export interface SecretSource {
  readonly kind: 'secret'
  /**
   * The current secret and, while it is being changed, the previous one. At least as many bytes as the digests of
   * `algorithms` have, 32 for `HS256` (RFC 7518 §3.2).
   */
  readonly secret: Secret | readonly [Secret] | readonly [Secret, Secret]
  /** Accepted algorithms. Default `['HS256']`. */
  readonly algorithms?: readonly SecretAlgorithm[] | undefined
  /** How a text is to be read; padding may be left out. Default `text`: its UTF-8 bytes. */
  readonly encoding?: 'text' | 'base64' | 'base64url' | undefined
}

type Reading = Pick<SecretSource, 'algorithms' | 'encoding'>

/** Say what is wrong with the secret or secrets of a source, or `null`. Never shows one. */
export function describeSecrets(value: unknown, reading: Reading = Object.create(null)): string | null {
  const secrets = [value].flat()
  if (secrets.length < 1 || secrets.length > 2) return 'must hold one or two'
  return secrets.map((secret) => describeSecret(secret, reading)).find((wrong) => wrong !== null) ?? null
}

function describeSecret(secret: unknown, reading: Reading): string | null {
  const { encoding = 'text' } = reading
  const isText = !(secret instanceof Uint8Array) && encoding === 'text'
  const wrong = isText ? describeSigningSecret(secret) : secret instanceof Uint8Array ? null : describeText(secret)
  if (wrong !== null) return wrong
  const bytes = toSecretBytes(secret as Secret, reading)
  if (bytes === null) return `must be ${encoding}`
  const material = isText ? null : describeKeyMaterial(toBinary(bytes))
  if (material !== null) return `looks like ${material}, not like a secret`
  const least = Math.max(...algorithmsOf(reading).map(bitsOf)) / 8
  if (bytes.length < least) return `must be at least ${least} bytes long`
  return bytes.every((byte) => byte === 0) ? 'must not be zeros alone' : null
}

// What is none is said of that option.
function algorithmsOf({ algorithms = ['HS256'] }: Reading): readonly SecretAlgorithm[] {
  return SECRET_ALGORITHMS.filter((name) => Array.isArray(algorithms) && algorithms.includes(name))
}

function toSecretBytes(secret: Secret, { encoding = 'text' }: Reading): Uint8Array<ArrayBuffer> | null {
  if (secret instanceof Uint8Array) return new Uint8Array(secret)
  if (encoding === 'text') return new TextEncoder().encode(secret)
  const text = secret.length % 4 === 0 ? secret.replace(/={1,2}$/, '') : secret
  if (encoding === 'base64url') return decodeBase64Url(text)
  return /[-_]/.test(text) ? null : decodeBase64Url(text.replaceAll('+', '-').replaceAll('/', '_'))
}

// Each character one byte.
function toBinary(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** What {@link readSecrets} makes. */
export interface SharedSecrets {
  readonly algorithms: readonly SecretAlgorithm[]
  /** Whether one is given twice. */
  readonly hasTwins: boolean
  /** Whether one is a sample that everybody knows. */
  readonly hasSample: boolean
  /** The keys of an algorithm, made once. */
  keys(algorithm: SecretAlgorithm): readonly VerifyingKey[]
}

/** Read the secrets of these sources, which {@link describeSecrets} has nothing against. */
export function readSecrets(sources: readonly SecretSource[]): SharedSecrets {
  const secrets = sources.flatMap((source) => {
    return [source.secret].flat().map((secret) => ({
      bytes: toSecretBytes(secret, source) ?? new Uint8Array(),
      algorithms: algorithmsOf(source),
    }))
  })
  const texts = secrets.map(({ bytes }) => toBinary(bytes))
  const made = new Map<SecretAlgorithm, readonly VerifyingKey[]>()
  const keysOf = (algorithm: SecretAlgorithm): readonly VerifyingKey[] =>
    secrets
      .filter(({ algorithms }) => algorithms.includes(algorithm))
      .map(({ bytes }) => ({ isSigned: engine.bySecret(bytes, algorithm), isUsable: () => true }))
  return {
    algorithms: [...new Set(secrets.flatMap(({ algorithms }) => algorithms))],
    hasTwins: new Set(texts).size < texts.length,
    hasSample: texts.some(isSampleSecret),
    keys(algorithm) {
      const keys = made.get(algorithm) ?? keysOf(algorithm)
      made.set(algorithm, keys)
      return keys
    },
  }
}
