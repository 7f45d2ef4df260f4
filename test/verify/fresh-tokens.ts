// Valid tokens by the thousand: of four algorithms, ES256 with the low and the high s of each signature (T8).
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { verdictOf } from './bench.ts'

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

// (r, n − s) signs what (r, s) signs.
function otherS(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return `${header}.${payload}.${other.toString('base64url')}`
}

/** Verify `count` fresh tokens; ends with the verdicts and how often each was given. */
export async function verifyFresh(count: number): Promise<Record<string, number>> {
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
  const verdicts: Record<string, number> = {}
  const algorithms = ['ES256', 'ES256', 'RS256', 'EdDSA', 'HS256'] as const
  for (let made = 0; made < count; ) {
    const algorithm = algorithms[made % algorithms.length]
    const token = await issuer.sign({ sub: `user-${made}`, jti: crypto.randomUUID() }, algorithm ? { algorithm } : {})
    for (const form of algorithm === 'ES256' ? [token, otherS(token)] : [token]) {
      const verdict = await verdictOf(verifier.verify(form))
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
      made += 1
    }
  }
  return verdicts
}
