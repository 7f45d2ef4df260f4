// T6: what construction refuses as a secret is listed in test/verify/issuers.test.ts; here, that chance is never refused.
import { expect, it } from 'vitest'
import { describeKeyMaterial, describeWeakSecret, isSampleSecret } from '../../src/lib/secret-check.ts'
import { createRandom } from '../verify/mutate.ts'

it('takes 30,000 random secrets for what they are', () => {
  // The same each time: of all there are, one in forty million has the bytes `kty:` in it, and is taken for a key.
  const random = createRandom(6)
  const refused: string[] = []
  for (let n = 0; n < 10_000; n += 1) {
    const bytes = Buffer.from(Array.from({ length: 64 }, () => Math.floor(random() * 256)))
    for (const spelling of ['base64', 'base64url', 'hex'] as const) {
      const secret = bytes.toString(spelling)
      const isGood = describeWeakSecret(secret) === null && describeKeyMaterial(secret) === null
      if (!isGood || isSampleSecret(secret)) refused.push(secret)
    }
  }
  expect(refused).toEqual([])
})
