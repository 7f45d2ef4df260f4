/** The refusals of local login: sessions, passwords, the throttle, users, dev mode. */
import { SignJWT } from 'jose'
import { AuthError } from '../../../src/errors.ts'
import { createDevLogin } from '../../../src/login/dev.ts'
import { createPasswordHasher, type HashingPlace } from '../../../src/login/password-hash.ts'
import { createSessions } from '../../../src/login/session.ts'
import { createMemoryAccounts } from '../../../src/storage/memory.ts'
import {
  type Answer,
  BETTER,
  type CallOptions,
  createLoginWorld,
  FAST,
  GOOD,
  type LoginWorld,
  SECRET,
  START,
} from '../../login/login-world.ts'
import type { Refusal } from './refusal.ts'

/** The refusal behind an answer, thrown again. */
async function refused(answering: Promise<Answer>): Promise<never> {
  const { reason, expected, got, json, headers } = await answering
  if (reason === null) throw new Error(`nothing was refused: ${JSON.stringify(json)}`)
  const { code, field } = json.error
  const of = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1]
  throw new AuthError(code, {
    reason,
    expected: expected ?? undefined,
    got: got ?? undefined,
    ...(field === undefined ? {} : { field }),
    ...(of('WWW-Authenticate') === 'Bearer' ? { absent: true } : {}),
    ...(of('Retry-After') === undefined ? {} : { retryAfterSeconds: Number(of('Retry-After')) }),
  })
}

async function person(role = 'viewer'): Promise<{ world: LoginWorld; token: string; id: string }> {
  const world = createLoginWorld()
  const { id } = await world.account('ada@example.test', role)
  return { world, id, token: await world.signIn('ada@example.test') }
}

/** A session's owner asks for their users' list after something happened. */
async function asks(happened: (world: LoginWorld, id: string, token: string) => Promise<unknown>): Promise<never> {
  const { world, id, token } = await person('admin')
  await happened(world, id, token)
  return refused(world.call('GET', '/users', { token }))
}

const CLAIMS = { iss: 'ironflow', aud: 'ironflow', sub: 'x', exp: START / 1000 + 60, ver: 0, jti: 'A'.repeat(22) }

async function verifies(claims: object, { alg = 'HS256', secret = SECRET } = {}): Promise<unknown> {
  const token = await new SignJWT(claims as never)
    .setProtectedHeader({ alg, typ: 'session+jwt' })
    .sign(alg === 'HS256' ? secret : (await crypto.subtle.generateKey(ES256, false, ['sign'])).privateKey)
  const repository = createMemoryAccounts().sessions
  const settings = { secret: SECRET, service: 'ironflow', sessionSeconds: 60, clock: () => START, repository }
  return createSessions(settings).verifier.verify(token)
}

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

async function fails(times: number, options: (i: number) => CallOptions): Promise<never> {
  const world = createLoginWorld()
  for (let i = 0; i < times; i++) {
    world.now += 1
    await world.call('POST', '/auth/login', options(i))
  }
  return refused(world.call('POST', '/auth/login', options(times)))
}

async function changesPassword(next: string, current: string = GOOD): Promise<never> {
  const { world, token } = await person()
  const body = { current_password: current, new_password: next }
  return refused(world.call('POST', '/auth/password', { token, body }))
}

async function admin(method: string, path: string, body?: object): Promise<never> {
  const { world, token, id } = await person('admin')
  return refused(world.call(method, path.replace(':own', id), { token, ...(body === undefined ? {} : { body }) }))
}

function inDevMode(options: CallOptions): Promise<never> {
  const makeLogin = ({ secret: _, ...common }: Parameters<typeof createDevLogin>[0] & { secret?: unknown }) =>
    createDevLogin({ ...common, nodeEnv: 'test' })
  return refused(createLoginWorld({ makeLogin: makeLogin as never }).call('GET', '/auth/validate', options))
}

const HERE = { host: '127.0.0.1:3000' }

export const REFUSALS_OF_LOGIN: readonly Refusal[] = [
  {
    reason: 'account_missing',
    code: 'unauthorized',
    provoke: () => asks(({ storage }, id) => storage.accounts.remove(id)),
  },
  {
    reason: 'account_disabled',
    code: 'unauthorized',
    // Disabled by other means than the port: the version is the same.
    provoke: () =>
      asks(async ({ storage }, id) => {
        const { account } = (await storage.sessions.find(id, '')) as { account: object }
        storage.sessions.find = async () => ({ account: { ...account, disabled: true } as never, revoked: false })
      }),
  },
  {
    reason: 'session_superseded',
    code: 'unauthorized',
    provoke: () => asks(({ storage }, id) => storage.accounts.endSessions(id)),
  },
  {
    reason: 'session_revoked',
    code: 'unauthorized',
    provoke: () => asks((world, _, token) => world.call('POST', '/auth/logout', { token })),
  },
  { reason: 'session_algorithm_other', code: 'unauthorized', provoke: () => verifies(CLAIMS, { alg: 'ES256' }) },
  { reason: 'session_issuer_other', code: 'unauthorized', provoke: () => verifies({ ...CLAIMS, iss: 'x' }) },
  {
    reason: 'session_signature_invalid',
    code: 'unauthorized',
    provoke: () => verifies(CLAIMS, { secret: new Uint8Array(32) }),
  },
  { reason: 'session_claims_malformed', code: 'unauthorized', provoke: () => verifies({ ...CLAIMS, ver: '0' }) },
  {
    reason: 'login_refused',
    code: 'unauthorized',
    wire: { challenge: 'Bearer' },
    provoke: () => fails(0, () => ({ body: { email: 'nobody@example.test', password: GOOD } })),
  },
  {
    reason: 'login_account_throttled',
    code: 'rate_limit_exceeded',
    wire: { retryAfter: '1' },
    provoke: () =>
      fails(5, (i) => ({ address: `10.0.0.${i}`, body: { email: 'nobody@example.test', password: GOOD } })),
  },
  {
    reason: 'login_address_throttled',
    code: 'rate_limit_exceeded',
    wire: { retryAfter: '900' },
    provoke: () => fails(50, (i) => ({ body: { email: `nobody${i}@example.test`, password: GOOD } })),
  },
  {
    reason: 'login_network_throttled',
    code: 'rate_limit_exceeded',
    wire: { retryAfter: '900' },
    provoke: () =>
      fails(600, (i) => ({
        ...{ body: { email: `nobody${i}@example.test`, password: GOOD } },
        address: `2001:db8:1:${i.toString(16)}::1`,
      })),
  },
  { reason: 'current_password_wrong', code: 'forbidden', provoke: () => changesPassword(BETTER, 'wrong') },
  {
    reason: 'password_changed_meanwhile',
    code: 'conflict',
    provoke: async () => {
      const { world, token } = await person()
      world.storage.accounts.replaceHash = async () => false
      const body = { current_password: GOOD, new_password: BETTER }
      return refused(world.call('POST', '/auth/password', { token, body }))
    },
  },
  {
    reason: 'password_length',
    code: 'validation_error',
    wire: { field: 'new_password' },
    provoke: () => changesPassword('x'),
  },
  {
    reason: 'password_common',
    code: 'validation_error',
    wire: { field: 'new_password' },
    provoke: () => changesPassword('passwordpassword'),
  },
  {
    reason: 'password_near_context',
    code: 'validation_error',
    wire: { field: 'new_password' },
    provoke: () => changesPassword('ironflow-ada-2026'),
  },
  {
    reason: 'password_queue_full',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '5' },
    provoke: () => {
      const { hash } = createPasswordHasher({ cost: FAST, maxConcurrent: 1, maxQueued: 0 })
      return Promise.all([hash(GOOD), hash(GOOD)])
    },
  },
  {
    reason: 'password_queue_slow',
    code: 'temporarily_unavailable',
    wire: { retryAfter: '5' },
    provoke: () => {
      const passwords = createPasswordHasher({ cost: FAST })
      const run: HashingPlace['run'] = (work) => {
        world.now += 30_001
        return work()
      }
      const world = createLoginWorld({
        passwords: { ...passwords, takePlace: () => ({ run, leave: () => undefined }) },
      })
      return refused(world.call('POST', '/auth/login', { body: { email: 'nobody@example.test', password: GOOD } }))
    },
  },
  {
    reason: 'account_email_taken',
    code: 'conflict',
    provoke: () => admin('POST', '/users', { email: 'ADA@example.test', password: GOOD, role: 'viewer' }),
  },
  { reason: 'account_not_found', code: 'not_found', provoke: () => admin('DELETE', '/users/nobody') },
  { reason: 'account_last_admin', code: 'conflict', provoke: () => admin('DELETE', '/users/:own') },
  {
    reason: 'account_above_its_admin',
    code: 'forbidden',
    provoke: async () => {
      const world = createLoginWorld({ adminRole: 'developer' })
      await world.account('ada@example.test', 'developer')
      const { id } = await world.account('root@example.test', 'admin')
      return refused(world.call('DELETE', `/users/${id}`, { token: await world.signIn('ada@example.test') }))
    },
  },
  {
    reason: 'dev_peer_not_loopback',
    code: 'forbidden',
    provoke: () => inDevMode({ address: '10.0.0.1', headers: HERE }),
  },
  {
    reason: 'dev_request_forwarded',
    code: 'forbidden',
    provoke: () => inDevMode({ headers: { ...HERE, 'x-forwarded-for': '127.0.0.1' } }),
  },
  {
    reason: 'dev_host_not_loopback',
    code: 'forbidden',
    provoke: () => inDevMode({ headers: { host: 'rebound.example' } }),
  },
]
