/** A repeated service header was 400 although the bearer token beside it was over the limit, which comes first. */
import { expect, it } from 'vitest'
import { createWorld, reasonOf, SERVICE_SECRET } from '../pipeline/world.ts'

it('an oversize credential is 401 whatever the other headers look like', async () => {
  const { authenticate } = createWorld()
  const headers = {
    'x-telephony-secret': [SERVICE_SECRET, SERVICE_SECRET],
    authorization: `Bearer ${'x'.repeat(8193)}`,
  }
  expect(await reasonOf(authenticate({ headers }))).toBe('bearer_token_too_long')
})
