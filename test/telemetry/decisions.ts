/** Decision records as tests of what counts them need: one that was let in, and whatever differs. */
import type { Decision } from '../../src/context.ts'

/** A record of somebody who was let in, changed by `changes`. */
export function decisionOf(changes: Partial<Decision> = {}): Decision {
  return {
    requestId: 'r-1',
    at: new Date('2026-01-02T03:04:05Z'),
    method: 'GET',
    path: '/contacts',
    outcome: 'allowed',
    credential: 'bearer',
    code: null,
    reason: null,
    expected: null,
    got: null,
    principal: { kind: 'user', id: 'u-1' },
    issuer: 'https://issuer.test',
    actor: null,
    selection: 'named',
    orgId: 'o-1',
    role: 'admin',
    provisioned: null,
    timings: { verify: 0.2, users: 3, orgs: 40 },
    ...changes,
  }
}

const refused = { outcome: 'refused', principal: null, issuer: null, orgId: null, role: null } as const

/** A token that has expired. */
export const EXPIRED: Decision = decisionOf({
  ...refused,
  code: 'token_expired',
  reason: 'token_expiry_passed',
  timings: { verify: 0.3 },
})

/** A database that can't be reached, as its driver says it: with an address in the message. */
export const FAILED: Decision = decisionOf({
  outcome: 'failed',
  code: 'temporarily_unavailable',
  reason: 'storage_unavailable',
  principal: null,
  timings: { verify: 0.2, users: 5000 },
  cause: Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' }),
})

/** A handler that threw. */
export const BROKEN: Decision = decisionOf({
  outcome: 'failed',
  reason: 'internal_error',
  cause: new TypeError('ada@example.com is not a function'),
})

/** A key server that is down: answered 503, and nobody's fault here. */
export const NO_KEYS: Decision = decisionOf({ ...refused, code: 'keys_unavailable', reason: 'key_servers_failing' })
