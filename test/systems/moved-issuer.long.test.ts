/** An issuer is replaced under load: nobody is refused, and nobody is made a second time. */
import { expect, it } from 'vitest'
import { moveIssuer } from './moved-issuer.ts'

it('12 people × 8 requests at each stage, four processes: one user each, no refused request', async () => {
  expect(await moveIssuer({ people: 12, requests: 8 })).toMatchObject({ users: 12 })
})
