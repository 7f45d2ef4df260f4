/** A clock that gave no number made every expired token good: nothing is later than NaN. */
import { expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'

it.each([
  ['NaN', Number.NaN],
  ['Infinity', Number.NEGATIVE_INFINITY],
  ['nothing', undefined],
  ['a Date', new Date()],
])('%s is a fault of the host, not a way in', async (_, now) => {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  const verifier = createJwtVerifier({
    issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }] }],
    audience: issuer.audience,
    clock: () => now as number,
  })
  for (const claims of [{ exp: 1 }, {}]) {
    const outcome = await verifier.verify(await issuer.sign(claims)).catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(TypeError)
    expect(isAuthError(outcome)).toBe(false)
  }
})
