// P3 at full size on every framework: 50 people × 100 parallel first requests over real sockets.
import { afterAll, it } from 'vitest'
import { closeHosts, expectFirstLogins } from './many-at-once.ts'

afterAll(closeHosts)

it.each(['express', 'koa', 'hono'] as const)('50 people × 100 parallel first requests on %s', (framework) =>
  expectFirstLogins(framework, 50, 100),
)
