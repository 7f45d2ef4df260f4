/**
 * Choose the keys a token may have been signed with, and try them. The algorithm picks the class of key: HMACs meet secrets
 * only and never the network, the others meet JWKs only. Hands on the key that verified.
 */
import { AuthError } from '../errors.ts'
import { isNameOf } from './issuer-name.ts'
import type { Issuer } from './issuers.ts'
import { MAX_CANDIDATES } from './jwk-import.ts'
import type { KeySet, SetKey } from './key-set.ts'
import { type Algorithm, isSecretAlgorithm, ownOf, type SecretAlgorithm, type TokenForm } from './token-form.ts'

/** The key that verified a token, as long as it may be used. */
export interface VerifiedBy {
  isUsable(): boolean
}

const ALWAYS: VerifiedBy = { isUsable: () => true }

/**
 * Verify the signature of a token with the keys of its issuer, or refuse: `unauthorized`, or `keys_unavailable` where the
 * key wanted isn't cached and its server can't be asked.
 */
export async function verifySignature(form: TokenForm, issuer: Issuer): Promise<VerifiedBy> {
  if (!issuer.algorithms.has(form.algorithm)) {
    const [expected, got] = [[...issuer.algorithms].join(', '), form.algorithm]
    throw new AuthError('unauthorized', { reason: 'token_algorithm_not_of_issuer', expected, got })
  }
  const { algorithm } = form
  const verified = isSecretAlgorithm(algorithm) ? await bySecret(form, algorithm, issuer) : await byKeySet(form, issuer)
  if (verified === null) throw new AuthError('unauthorized', { reason: 'token_signature_invalid' })
  return verified
}

async function bySecret(
  { input, signature }: TokenForm,
  algorithm: SecretAlgorithm,
  { secrets }: Issuer,
): Promise<VerifiedBy | null> {
  for (const isSigned of secrets.checks(algorithm)) if (await isSigned(input, signature)) return ALWAYS
  return null
}

async function byKeySet(form: TokenForm, issuer: Issuer): Promise<VerifiedBy | null> {
  const cached = candidatesOf(form, issuer)
  const verified = await tryKeys(form, cached)
  if (verified !== null) return verified
  // The right key may be newer than the cache, under a kid that is known too.
  const complete = await refreshAll(form, issuer)
  const fresh = candidatesOf(form, issuer)
  if (fresh.length === 0 && complete !== true) {
    const got = issuer.keySets.flatMap((set) => set.failure() ?? []).join(', ')
    throw new AuthError('keys_unavailable', { reason: 'key_servers_failing', got, retryAfterSeconds: complete })
  }
  if (fresh.length === 0) {
    const expected = form.kid === null ? form.algorithm : `${form.algorithm}, the token's kid`
    const got = `none of ${issuer.keySets.flatMap((set) => [...set.keys()]).length} keys`
    throw new AuthError('unauthorized', { reason: 'token_key_unknown', expected, got })
  }
  return tryKeys(
    form,
    fresh.filter((key) => !cached.includes(key)),
  )
}

// The keys of the token's algorithm that bear its kid, or all of them where it has none; the same key counts once. Where one
// set of keys signs for many issuers, a key may say for which.
function candidatesOf({ algorithm, kid, payload }: TokenForm, issuer: Issuer): readonly SetKey[] {
  const found = new Map<string, SetKey>()
  const isOfIssuer = ({ issuer: name }: SetKey): boolean =>
    issuer.pattern === null || name === null || isNameOf(name, ownOf(payload, 'iss'))
  for (const set of issuer.keySets) {
    for (const key of set.keys()) {
      const isNamed = kid === null || key.kid === kid || (key.kid === null && set.isWrittenOut)
      const fits = key.algorithm === algorithm && isNamed && isOfIssuer(key)
      if (fits && !found.has(key.thumbprint)) found.set(key.thumbprint, key)
    }
  }
  if (found.size > MAX_CANDIDATES) {
    const [expected, got] = [`at most ${MAX_CANDIDATES} keys`, `${found.size} keys`]
    throw new AuthError('unauthorized', { reason: 'token_key_ambiguous', expected, got })
  }
  return [...found.values()]
}

// `true`, or the seconds after which a set that failed may be asked again.
async function refreshAll({ algorithm }: TokenForm, issuer: Issuer): Promise<number | true> {
  const asked: readonly KeySet[] = issuer.keySets.filter(({ algorithms }) =>
    (algorithms as ReadonlySet<Algorithm>).has(algorithm),
  )
  const results = await Promise.all(asked.map((set) => set.refresh()))
  const failing = asked.filter((_, index) => results[index] !== true)
  return failing.length === 0 || Math.min(...failing.map((set) => set.retryAfterSeconds()))
}

async function tryKeys({ input, signature }: TokenForm, keys: readonly SetKey[]): Promise<VerifiedBy | null> {
  for (const key of keys) if (await key.isSigned(input, signature)) return key
  return null
}
