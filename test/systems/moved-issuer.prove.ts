/** At full size: an issuer is replaced under load: nobody is refused, and nobody is made a second time. */
import { expect, it } from 'vitest'
import { moveIssuer } from './moved-issuer.ts'

it('50 people × 40 requests at each stage, four processes: one user each, no refused request', async () => {
  const report = await moveIssuer({ people: 50, requests: 40 })
  expect(report).toMatchObject({ users: 50 })
  console.log(report)
})
