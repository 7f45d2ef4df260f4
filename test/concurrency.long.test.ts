/** Many at once, at a size that takes seconds; small in concurrency.test.ts. */
import { afterAll, it } from 'vitest'
import { closeHosts, expectFirstLogins } from './many-at-once.ts'
import { describeRevocation } from './pipeline/revocation-cases.ts'

afterAll(closeHosts)

it('50 people × 100 parallel first requests: 5,000 answers, 50 users, 50 orgs, 50 hooks', () =>
  expectFirstLogins('express', 50, 100))

describeRevocation(1000)
