/**
 * Choose the keys a token may have been signed with, and try them. The algorithm picks the class of key: HMACs meet secrets
 * only and never the network, the others meet JWKs only. Hands on the key that verified.
 */
import { type AuthError, refused } from '../errors.ts'
import { type AtOnce, isPending } from '../lib/at-once.ts'
import { isNameOf } from './issuer-name.ts'
import type { Issuer } from './issuers.ts'
import { MAX_CANDIDATES } from './jwk-import.ts'
import type { KeySet, SetKey } from './key-set.ts'
import { type Algorithm, isSecretAlgorithm, ownOf, type TokenForm } from './token-form.ts'
import type { UnknownKey } from './unknown-key.ts'

/** The key that verified a token, as long as it may be used. */
export interface VerifiedBy {
  isUsable(): boolean
}

/**
 * Verify the signature of a token with the keys of its issuer, or hand on the refusal: `unauthorized`, or `keys_unavailable` where
 * the key wanted isn't cached and its server can't be asked.
 */
export async function verifySignature(
  form: TokenForm,
  issuer: Issuer,
  unknownKey: UnknownKey,
): Promise<VerifiedBy | AuthError> {
  const { algorithm } = form
  if (!issuer.algorithms.has(algorithm)) {
    const expected = [...issuer.algorithms].join(', ')
    return refused('unauthorized', { reason: 'token_algorithm_not_of_issuer', expected, got: algorithm })
  }
  const isSecret = isSecretAlgorithm(algorithm)
  const cached = isSecret ? issuer.secrets.keys(algorithm) : candidatesOf(form, issuer)
  for (const key of cached) {
    const signed = key.isSigned(form.input, form.signature)
    if (isPending(signed) ? await signed : signed) return key
  }
  if (!isSecret) {
    // The right key may be newer than the cache, under a kid that is known too.
    const asked = issuer.keySets.filter(({ algorithms }) => (algorithms as ReadonlySet<Algorithm>).has(algorithm))
    const refreshing = refreshAll(asked)
    const complete = isPending(refreshing) ? await refreshing : refreshing
    const fresh = candidatesOf(form, issuer)
    if (fresh.length === 0) {
      if (complete !== true) return serversFailing(issuer, complete)
      const refuse = keyUnknown(form, issuer)
      unknownKey.keep(form, issuer, asked, refuse)
      return refuse()
    }
    for (const key of fresh) if (!cached.includes(key) && (await key.isSigned(form.input, form.signature))) return key
  }
  return refused('unauthorized', { reason: 'token_signature_invalid' })
}

function serversFailing({ keySets }: Issuer, retryAfterSeconds: number): AuthError {
  // None has failed where a verifier was closed meanwhile.
  const got = keySets.flatMap((set) => set.failure() ?? []).join(', ') || undefined
  return refused('keys_unavailable', { reason: 'key_servers_failing', got, retryAfterSeconds })
}

function keyUnknown({ kid, algorithm }: TokenForm, { keySets }: Issuer): () => AuthError {
  const expected = kid === null ? algorithm : `${algorithm}, the token's kid`
  const count = keySets.reduce((sum, set) => sum + set.keys().size, 0)
  const got = `none of ${count} keys`
  return () => refused('unauthorized', { reason: 'token_key_unknown', expected, got })
}

// The keys of the token's algorithm that bear its kid, or all of them where it has none; the same key counts once. Where one
// set of keys signs for many issuers, a key may say for which.
function candidatesOf({ algorithm, kid, payload }: TokenForm, issuer: Issuer): readonly SetKey[] {
  const found: SetKey[] = []
  const isOfIssuer = ({ issuer: name }: SetKey): boolean =>
    issuer.pattern === null || name === null || isNameOf(name, ownOf(payload, 'iss'))
  for (const set of issuer.keySets) {
    for (const key of set.keys()) {
      const isNamed = kid === null || key.kid === kid || (key.kid === null && set.isWrittenOut)
      const fits = key.algorithm === algorithm && isNamed && isOfIssuer(key)
      if (fits && !found.some(({ thumbprint }) => thumbprint === key.thumbprint)) found.push(key)
    }
  }
  if (found.length > MAX_CANDIDATES) {
    const [expected, got] = [`at most ${MAX_CANDIDATES} keys`, `${found.length} keys`]
    throw refused('unauthorized', { reason: 'token_key_ambiguous', expected, got })
  }
  return found
}

// `true`, or the seconds after which a set that failed may be asked again. A promise only where one may be asked now.
function refreshAll(asked: readonly KeySet[]): AtOnce<number | true> {
  const refreshes = asked.map((set) => set.refresh())
  const restOf = (complete: readonly boolean[]): number | true => {
    const failing = asked.filter((_, index) => complete[index] !== true)
    return failing.length === 0 || Math.min(...failing.map((set) => set.retryAfterSeconds()))
  }
  return refreshes.every((each) => typeof each === 'boolean') ? restOf(refreshes) : Promise.all(refreshes).then(restOf)
}
