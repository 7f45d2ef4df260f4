/** The tour of Ironflow: its document, rule by rule. */
import { send } from './send.ts'
import type { Chapter, DeedStep, RequestStep } from './step.ts'

const at = 'ironflow'
const dev = 'ironflow, dev'
const ADMIN = 'admin@ironflow.local'
const FINE = 'four unlikely words here'
const json = ['Content-Type', 'application/json'] as const
const crossSite = ['Sec-Fetch-Site', 'cross-site'] as const
const sameOrigin = ['Sec-Fetch-Site', 'same-origin'] as const
const cookie = ['Cookie', 'ironflow_dashboard_token={admin.token}'] as const
const inside = (id: string) => ['X-Ironflow-Environment', id] as const
const login = 'POST /api/v1/auth/login'
const logout = 'POST /api/v1/auth/logout'
const change = 'POST /api/v1/auth/password'
const validate = 'GET /api/v1/auth/validate'
const functions = 'GET /api/v1/functions'
const add = 'POST /api/v1/functions'
const remove = 'DELETE /api/v1/functions/{f.resize}'
const users = 'GET /api/v1/users'
const invite = 'POST /api/v1/users'
const keys = 'POST /api/v1/api-keys'

const signIn = (name: string, email: string, password: string = FINE): RequestStep => ({
  ...{ at, send: login, json: { email, password }, ok: 200, body: { token: '*' } },
  keep: { [`token of ${name}`]: 'token', [`${name}.token`]: 'token' },
})
const userOf = (email: string, role: string, disabled = false): unknown => ({
  user: { id: '*', email, role, disabled, created_at: '*' },
})
const create = (name: string, role: string): RequestStep => ({
  ...{ at, send: invite, as: 'admin', json: { email: `${name}@example.test`, password: FINE, role }, ok: 201 },
  body: userOf(`${name}@example.test`, role),
  keep: { [`f.${name}`]: 'user.id' },
})
const change1 = (name: string, wish: unknown, result: Pick<RequestStep, 'ok' | 'no'>): RequestStep => ({
  ...{ at, send: `PATCH /api/v1/users/{f.${name}}`, as: 'admin', json: wish, ...result },
})
const wrong = (email: string, times = 1): RequestStep[] =>
  Array.from({ length: times }, () => ({
    ...{ at, send: login, json: { email, password: 'not the right one' }, no: 'unauthorized:absent' },
  }))

const sets: DeedStep = {
  at,
  does: `${login}, and look at the cookie`,
  shows: 'Path=/; Max-Age=86400; HttpOnly; SameSite=Lax',
  async act({ kept, urlOf }) {
    const body = JSON.stringify({ email: ADMIN, password: kept.get('ironflow.password') })
    const url = `${urlOf(at)}/api/v1/auth/login`
    const { headers } = await send({ method: 'POST', url, lines: [json], body })
    const [line = ''] = (headers['set-cookie'] ?? []) as readonly string[]
    return line.replace(/^ironflow_dashboard_token=eyJ[\w.-]+; /, '')
  },
}
const wait = (milliseconds: number): DeedStep => ({
  at,
  does: `wait ${milliseconds / 1000} s`,
  shows: 'time has passed',
  act: () => new Promise((resolve) => setTimeout(() => resolve('time has passed'), milliseconds)),
})

/** The chapters. */
export const IRONFLOW: readonly Chapter[] = [
  {
    title: 'Ironflow: signing in',
    steps: [
      { at, send: 'GET /api/v1/capabilities', ok: 200, body: { auth_required: true } },
      { at, send: validate, no: 'unauthorized:absent' },
      { at, send: functions, no: 'unauthorized:absent' },
      { at, send: 'GET /no-such-route', no: 'not_found' },
      { at, send: login, json: { email: ADMIN }, no: 'validation_error:password' },
      { at, send: login, json: { email: 1, password: FINE }, no: 'validation_error:email' },
      { at, send: login, text: '{', lines: [json], no: 'validation_error:body' },
      { at, send: login, text: 'x', lines: [['Content-Type', 'text/plain']], no: 'unsupported_media_type' },
      { at, send: login, json: { email: ADMIN, password: 'x' }, lines: [crossSite], no: 'forbidden' },
      ...wrong(ADMIN),
      ...wrong('nobody@example.test'),
      signIn('admin', ADMIN, '{ironflow.password}'),
      sets,
      { at, send: validate, as: 'admin', ok: 200, body: { valid: true } },
      { at, send: validate, lines: [cookie], ok: 200, body: { valid: true } },
      { at, send: validate, lines: [['Authorization', 'Bearer x.y.z']], no: 'unauthorized' },
      { at, send: validate, lines: [cookie, ['Authorization', 'Bearer x.y.z']], no: 'unauthorized' },
      { at, send: add, json: { name: 'a' }, lines: [cookie, crossSite], no: 'forbidden' },
      { at, send: add, json: { name: 'a' }, lines: [cookie], no: 'forbidden' },
      { at, send: add, json: { name: 'send-invoice' }, lines: [cookie, sameOrigin], ok: 201 },
    ],
  },
  {
    title: 'Ironflow: the environment a request acts in',
    steps: [
      {
        at,
        send: 'GET /api/v1/environments',
        as: 'admin',
        ok: 200,
        body: {
          environments: [
            { id: 'env_default', name: '*' },
            { id: 'env_myproject_staging', name: '*' },
          ],
        },
      },
      { at, send: functions, as: 'admin', ok: 200, body: { functions: [{ id: '*', name: 'send-invoice' }] } },
      {
        ...{ at, send: functions, as: 'admin', lines: [inside('env_default')], ok: 200 },
        body: { functions: [{ id: '*', name: 'send-invoice' }] },
      },
      {
        ...{ at, send: functions, as: 'admin', lines: [inside('env_myproject_staging')], ok: 200 },
        body: { functions: [] },
        headers: { 'X-Ironflow-Environment': 'env_myproject_staging' },
      },
      { at, send: functions, as: 'admin', lines: [inside('env_other')], no: 'forbidden' },
      { at, send: functions, as: 'admin', lines: [inside('env default')], no: 'invalid_org_id' },
      { at, send: functions, as: 'admin', lines: [inside('x'.repeat(65))], no: 'invalid_org_id' },
      { at, send: functions, as: 'admin', lines: [inside('')], no: 'invalid_org_id' },
      {
        ...{ at, send: functions, as: 'admin', no: 'invalid_org_id' },
        lines: [inside('env_default'), inside('env_default')],
      },
      { at, send: users, as: 'admin', lines: [inside('no such one')], ok: 200 },
      { at, send: functions, lines: [inside('no such one')], no: 'unauthorized:absent' },
    ],
  },
  {
    title: 'Ironflow: users, roles, and what ends a session',
    steps: [
      create('vera', 'viewer'),
      create('dora', 'developer'),
      {
        at,
        send: invite,
        as: 'admin',
        json: { email: 'VERA@example.test', password: FINE, role: 'viewer' },
        no: 'conflict',
      },
      {
        at,
        send: invite,
        as: 'admin',
        json: { email: 'x', password: FINE, role: 'viewer' },
        no: 'validation_error:email',
      },
      {
        ...{ at, send: invite, as: 'admin', no: 'validation_error:password' },
        json: { email: 'x@example.test', password: 'fourteen chars', role: 'viewer' },
      },
      {
        ...{ at, send: invite, as: 'admin', no: 'validation_error:role' },
        json: { email: 'x@example.test', password: FINE, role: 'king' },
      },
      signIn('vera', 'vera@example.test'),
      signIn('dora', 'Dora@Example.Test'),
      { at, send: functions, as: 'vera', ok: 200 },
      { at, send: add, as: 'vera', json: { name: 'b' }, no: 'forbidden' },
      {
        at,
        send: add,
        as: 'dora',
        json: { name: 'resize-images' },
        ok: 201,
        body: { function: { id: '*', name: 'resize-images' } },
        keep: { 'f.resize': 'function.id' },
      },
      { at, send: remove, as: 'vera', no: 'forbidden' },
      { at, send: remove, as: 'dora', lines: [inside('env_myproject_staging')], no: 'not_found' },
      { at, send: remove, as: 'dora', ok: 204 },
      { at, send: remove, as: 'dora', no: 'not_found' },
      { at, send: users, as: 'dora', no: 'forbidden' },
      change1('vera', { role: 'developer' }, { ok: 200 }),
      { at, send: validate, as: 'vera', no: 'unauthorized' },
      signIn('vera', 'vera@example.test'),
      { at, send: add, as: 'vera', json: { name: 'nightly-report' }, ok: 201 },
      change1('vera', { disabled: true }, { ok: 200 }),
      { at, send: functions, as: 'vera', no: 'unauthorized' },
      { at, send: login, json: { email: 'vera@example.test', password: FINE }, no: 'unauthorized:absent' },
      change1('vera', { disabled: false, password: 'three other unlikely words' }, { ok: 200 }),
      signIn('vera', 'vera@example.test', 'three other unlikely words'),
      { at, send: 'DELETE /api/v1/users/{f.vera}', as: 'admin', ok: 204 },
      { at, send: functions, as: 'vera', no: 'unauthorized' },
      { at, send: 'DELETE /api/v1/users/{f.vera}', as: 'admin', no: 'not_found' },
      { at, send: 'GET /api/v1/me', as: 'admin', ok: 200, keep: { 'f.admin': 'user.id' } },
      change1('admin', { role: 'viewer' }, { no: 'conflict' }),
      change1('admin', { disabled: true }, { no: 'conflict' }),
      { at, send: 'DELETE /api/v1/users/{f.admin}', as: 'admin', no: 'conflict' },
    ],
  },
  {
    title: 'Ironflow: the own password, and signing out',
    steps: [
      {
        at,
        send: change,
        as: 'dora',
        json: { current_password: FINE, new_password: 'short' },
        no: 'validation_error:new_password',
      },
      {
        at,
        send: change,
        as: 'dora',
        json: { current_password: 'x', new_password: 'yet another sentence' },
        no: 'forbidden',
      },
      { at, send: change, as: 'dora', json: { current_password: FINE, new_password: 'yet another sentence' }, ok: 204 },
      { at, send: validate, as: 'dora', no: 'unauthorized' },
      signIn('dora', 'dora@example.test', 'yet another sentence'),
      { at, send: logout, as: 'dora', ok: 204 },
      { at, send: validate, as: 'dora', no: 'unauthorized' },
      { at, send: logout, ok: 204 },
      { at, send: logout, lines: [['Cookie', 'ironflow_dashboard_token=stale'], sameOrigin], ok: 204 },
      { at, send: logout, lines: [cookie, crossSite], no: 'forbidden' },
      { at, send: validate, as: 'admin', ok: 200 },
    ],
  },
  {
    title: 'Ironflow: too many tries',
    steps: [
      create('tom', 'viewer'),
      ...wrong('tom@example.test', 5),
      ...wrong('stranger@example.test', 5),
      wait(1100),
      ...wrong('tom@example.test'),
      ...wrong('stranger@example.test'),
      wait(2100),
      // What is refused comes at once after what closed it: on a slow machine a hash in between takes as long as the wait.
      ...wrong('tom@example.test'),
      { at, send: login, json: { email: 'tom@example.test', password: FINE }, no: 'rate_limit_exceeded' },
      {
        ...{ at, send: login, json: { email: 'TOM@example.test', password: FINE }, no: 'rate_limit_exceeded' },
        lines: [['X-Forwarded-For', '203.0.113.9']],
      },
      ...wrong('stranger@example.test'),
      { at, send: login, json: { email: 'stranger@example.test', password: FINE }, no: 'rate_limit_exceeded' },
      wait(4100),
      signIn('tom', 'tom@example.test'),
    ],
  },
  {
    title: 'Ironflow: API keys for SDKs and workers',
    steps: [
      {
        ...{ at, send: keys, as: 'admin', json: { name: 'worker', role: 'developer' }, ok: 201 },
        body: { api_key: { id: '*', name: 'worker', prefix: 'ifkey', role: 'developer' }, key: '*' },
        keep: { 'token of worker': 'key', 'f.worker': 'api_key.id' },
      },
      {
        ...{ at, send: keys, as: 'admin', ok: 201, keep: { 'token of stager': 'key' } },
        json: { name: 'stager', role: 'viewer', environment: 'env_myproject_staging' },
      },
      { at, send: keys, as: 'tom', json: { name: 'x', role: 'viewer' }, no: 'forbidden' },
      { at, send: keys, as: 'admin', json: { name: 'x' }, no: 'validation_error:role' },
      {
        at,
        send: keys,
        as: 'admin',
        json: { name: 'x', role: 'viewer', environment: 'env_other' },
        no: 'validation_error:environment',
      },
      {
        at,
        send: keys,
        as: 'admin',
        json: { name: 'x', role: 'viewer', expires_at: '2020-01-01T00:00:00Z' },
        no: 'validation_error:expires_at',
      },
      { at, send: functions, as: 'worker', ok: 200, headers: { 'X-Ironflow-Environment': 'env_default' } },
      { at, send: add, as: 'worker', json: { name: 'by-worker' }, lines: [inside('env_myproject_staging')], ok: 201 },
      {
        ...{ at, send: functions, as: 'stager', ok: 200, body: { functions: [{ id: '*', name: 'by-worker' }] } },
        headers: { 'X-Ironflow-Environment': 'env_myproject_staging' },
      },
      { at, send: functions, as: 'stager', lines: [inside('env_default')], no: 'forbidden' },
      { at, send: add, as: 'stager', json: { name: 'x' }, no: 'forbidden' },
      { at, send: users, as: 'worker', no: 'forbidden' },
      { at, send: validate, as: 'worker', no: 'unauthorized' },
      { at, send: 'DELETE /api/v1/api-keys/{f.worker}', as: 'admin', ok: 204 },
      { at, send: 'DELETE /api/v1/api-keys/{f.worker}', as: 'admin', no: 'not_found' },
      { at, send: functions, as: 'worker', no: 'unauthorized' },
    ],
  },
  {
    title: 'Ironflow: dev mode, on this machine only',
    steps: [
      { at: dev, send: 'GET /api/v1/capabilities', ok: 200, body: { auth_required: false } },
      { at: dev, send: functions, ok: 200, body: { functions: [] } },
      { at: dev, send: users, ok: 200 },
      { at: dev, send: add, json: { name: 'x' }, ok: 201 },
      { at: dev, send: add, json: { name: 'x' }, lines: [crossSite], no: 'forbidden' },
      { at: dev, send: functions, lines: [['X-Forwarded-For', '127.0.0.1']], no: 'forbidden' },
      { at: dev, send: functions, lines: [['Forwarded', 'for=127.0.0.1']], no: 'forbidden' },
      { at: dev, send: 'GET /api/v1/capabilities', lines: [['X-Forwarded-Proto', 'https']], no: 'forbidden' },
      { at: dev, send: functions, lines: [['Via', '']], no: 'forbidden' },
      { at: dev, send: functions, lines: [['X-Real-IP', '']], no: 'forbidden' },
      {
        ...{ at: dev, send: add, json: { name: 'x' }, no: 'forbidden' },
        lines: [crossSite, ['Authorization', 'Basic YTpi']],
      },
      { at: dev, send: login, json: { email: ADMIN, password: FINE }, no: 'not_found' },
    ],
  },
]
