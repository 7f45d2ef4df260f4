// What the mutations are let loose on: a verifier of all algorithms, with and without the cache of verified tokens.
import { isAuthError } from '../../src/errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { mutate } from './mutate.ts'

/** Verify `count` damaged tokens; ends with what was accepted, and what was thrown that is no refusal. */
export async function damage(
  count: number,
  seed: number,
): Promise<{ accepted: string[]; faults: unknown[]; codes: Set<string> }> {
  const issuer = await createTokenIssuer({ algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'] })
  const verifier = createJwtVerifier({
    issuers: [
      {
        issuer: issuer.issuer,
        keys: [
          { kind: 'jwks', keys: issuer.jwks().keys },
          { kind: 'secret', secret: issuer.secret },
        ],
        audience: issuer.audience,
      },
    ],
  })
  const tokens: string[] = []
  for (const algorithm of ['ES256', 'RS256', 'EdDSA', 'HS256'] as const) {
    for (const sub of ['u1', 'Zoë']) tokens.push(await issuer.sign({ sub }, { algorithm }))
    tokens.push(await issuer.sign({}, { algorithm, kid: null }))
  }
  // Primed, so that a damaged token could meet the cached one.
  for (const token of tokens) await verifier.verify(token)
  const accepted: string[] = []
  const faults: unknown[] = []
  const codes = new Set<string>()
  const verify = async (token: string): Promise<void> => {
    try {
      await verifier.verify(token)
      accepted.push(token)
    } catch (error) {
      if (isAuthError(error)) codes.add(error.code)
      else faults.push(error)
    }
  }
  let batch: Promise<void>[] = []
  for (const token of mutate(tokens, count, seed)) {
    batch.push(verify(token))
    if (batch.length < 32) continue
    await Promise.all(batch)
    batch = []
  }
  await Promise.all(batch)
  return { accepted, faults, codes }
}
