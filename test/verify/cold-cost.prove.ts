// What verifying a token for the first time costs, beside jose's own way: processor time, interleaved, median of ratios.
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'

const TOKENS = 1500
const ROUNDS = 21

async function cpuOf(verify: (token: string) => Promise<unknown>, tokens: readonly string[]): Promise<number> {
  const start = process.cpuUsage()
  for (let n = 0; n < tokens.length; n += 16) await Promise.all(tokens.slice(n, n + 16).map(verify))
  const { user, system } = process.cpuUsage(start)
  return (user + system) / tokens.length
}

it.each(['ES256', 'RS256', 'EdDSA'] as const)(
  '%s: at most 1.25 times jwtVerify with a local key set',
  async (algorithm) => {
    const issuer = await createTokenIssuer({ algorithms: [algorithm] })
    const tokens: string[] = []
    for (let n = 0; n < TOKENS; n += 1) tokens.push(await issuer.sign(issuer.supabaseClaims({ sub: `user-${n}` })))
    const keySet = createLocalJWKSet(issuer.jwks() as JSONWebKeySet)
    const options = {
      issuer: issuer.issuer,
      audience: issuer.audience,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: 5,
    }
    const plain = (token: string): Promise<unknown> => jwtVerify(token, keySet, options)
    const ratios: number[] = []
    for (let round = -2; round < ROUNDS; round += 1) {
      // A verifier of its own each round: with the cache on, and empty.
      const { verify } = createJwtVerifier({
        issuers: [
          { issuer: issuer.issuer, keys: [{ kind: 'jwks', keys: issuer.jwks().keys }], audience: issuer.audience },
        ],
      })
      const before = await cpuOf(plain, tokens)
      const ours = await cpuOf(verify, tokens)
      const after = await cpuOf(plain, tokens)
      if (round >= 0) ratios.push((2 * ours) / (before + after))
    }
    ratios.sort((a, b) => a - b)
    expect(ratios[Math.floor(ROUNDS / 2)]).toBeLessThanOrEqual(1.25)
  },
)
