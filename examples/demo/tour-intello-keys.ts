/** The tour of Intello's API keys and machine accounts; it comes after the tour of its users. */
import { expiryEnds, keysOff, machineAccount, mistyped, rotationEnds } from './deeds.ts'
import type { Chapter, RequestStep } from './step.ts'

const at = 'intello'
const json = ['Content-Type', 'application/json'] as const
const seam = ['X-Platform-Api-Key', '{secret}'] as const
const keys = 'GET /api/keys'
const make = 'POST /api/keys'
const all = 'GET /api/dependencies'
const add = 'POST /api/dependencies'
const read = 'dependencies:read'
const write = 'dependencies:write'
const noStore = { 'Cache-Control': 'no-store' }

interface Shown {
  readonly name: string
  readonly role: string
  readonly scopes: readonly string[]
  readonly expires_at?: string
}
const issued = ({ name, role, scopes, expires_at = null as never }: Shown, id = '*'): unknown => ({
  data: { id, name, prefix: 'itk', key: '*', role, scopes, expires_at },
})
const listed = (key: string, { name, role, scopes, expires_at = null as never }: Shown): unknown => ({
  ...{ id: `{k.${key}}`, name, prefix: 'itk', role, scopes, expires_at },
  ...{ created_at: '*', last_used_at: null },
})
/** A key made by an admin; from then on `as <name>` brings it. */
const made = (name: string, body: object, shown: Shown, as = 'kim'): RequestStep => ({
  ...{ at, send: make, as, json: body, ok: 201, body: issued(shown), headers: noStore },
  keep: { [`k.${name}`]: 'data.id', [`k.${name}.key`]: 'data.key', [`token of ${name}`]: 'data.key' },
})
const isRefused = (send: string, no: string, ...bodies: unknown[]): RequestStep[] =>
  bodies.map((body) => ({ at, send, as: 'kim', json: body, no }))
const wrongKey = (field: string, ...wishes: object[]): RequestStep[] =>
  isRefused(make, `validation_error:${field}`, ...wishes.map((wish) => ({ name: 'x', ...wish })))
const each = (as: string, no: string, ...lines: string[]): RequestStep[] =>
  lines.map((send) => ({ at, send, as, no, ...(send.startsWith('POST') && { json: {} }) }))
const used = (as: string, no?: string): RequestStep => ({
  at,
  send: all,
  as,
  ...(no === undefined ? { ok: 200 } : { no }),
})

const CI: Shown = { name: 'ci', role: 'viewer', scopes: [read] }
const DEPLOY: Shown = { name: 'deploy', role: 'member', scopes: [read, write] }
const READER: Shown = { name: 'reader', role: 'admin', scopes: [read] }
const BARE: Shown = { name: 'bare', role: 'viewer', scopes: [] }
const LONG: Shown = { ...CI, name: 'long', expires_at: '2099-12-31T23:00:00.000Z' }
const handling = [keys, make, 'POST /api/keys/{k.ci}/rotate', 'DELETE /api/keys/{k.ci}']

/** The chapters. */
export const INTELLO_KEYS: readonly Chapter[] = [
  {
    title: 'Intello: an admin makes API keys',
    steps: [
      { at, send: 'POST /auth/sync', as: 'kim', ok: 201 },
      { at, send: 'POST /auth/sync', as: 'moe', ok: 201 },
      { at, send: keys, as: 'kim', ok: 200, body: { data: [] }, headers: noStore },
      made('ci', { name: 'ci' }, CI),
      made('deploy', { name: 'deploy', scopes: [read, write] }, DEPLOY),
      made('reader', { name: 'reader', role: 'admin' }, READER),
      made('bare', { name: 'bare', scopes: [] }, BARE),
      made('long', { name: 'long', expires_at: '2100-01-01T00:00:00+01:00' }, LONG),
      made('foreign', { name: 'ci', role: 'viewer', scopes: [read], expires_at: null }, CI, 'moe'),
      {
        ...{ at, send: keys, as: 'kim', ok: 200, headers: noStore },
        body: {
          data: [
            listed('ci', CI),
            listed('deploy', DEPLOY),
            listed('reader', READER),
            listed('bare', BARE),
            listed('long', LONG),
          ],
        },
      },
      ...wrongKey('name', { name: undefined }, { name: '' }, { name: 7 }, { name: 'a\nb' }, { name: 'x'.repeat(256) }),
      ...wrongKey('role', { role: 'owner' }, { role: 7 }, { role: 'viewer', scopes: [write] }),
      ...wrongKey('scopes', { scopes: ['dependencies:own'] }, { scopes: read }, { scopes: [7] }),
      ...wrongKey('expires_at', { expires_at: '2020-01-01T00:00:00Z' }, { expires_at: 'tomorrow' }),
      ...wrongKey('expires_at', { expires_at: 4_102_444_800 }, { expires_at: '2100-02-30T00:00:00Z' }),
      ...isRefused(make, 'validation_error:body', [], 'text', 7),
      { at, send: make, as: 'kim', text: '{', lines: [json], no: 'validation_error:body' },
      { at, send: make, as: 'kim', text: '{"name":"x"}', no: 'unsupported_media_type' },
      { at, send: make, as: 'kim', json: { name: 'x'.repeat(17_000) }, no: 'payload_too_large' },
      { at, send: keys, no: 'unauthorized:absent' },
      { at, send: make, no: 'unauthorized:absent' },
      ...each('ned', 'user_not_synced', keys, make),
      { at, send: 'POST /api/invitations', as: 'kim', json: { email: 'lou@example.test', role: 'member' }, ok: 201 },
      { at, send: 'POST /auth/sync', as: 'lou', ok: 201 },
      ...each('lou', 'forbidden', ...handling),
      ...each('moe', 'not_found', 'POST /api/keys/{k.ci}/rotate', 'DELETE /api/keys/{k.ci}'),
    ],
  },
  {
    title: 'Intello: a key is used',
    steps: [
      { at, send: all, as: 'ci', ok: 200, body: { data: [] } },
      { at, send: add, as: 'ci', json: { name: 'x' }, no: 'forbidden' },
      { at, send: add, as: 'ci', text: '{', no: 'forbidden' },
      { at, send: add, as: 'reader', json: { name: 'x' }, no: `insufficient_scope:${write}` },
      used('bare', `insufficient_scope:${read}`),
      {
        ...{ at, send: add, as: 'deploy', json: { name: 'zod' }, ok: 201, body: { data: { id: '*', name: 'zod' } } },
        keep: { 'k.dependency': 'data.id' },
      },
      { at, send: all, as: 'kim', ok: 200, body: { data: [{ id: '{k.dependency}', name: 'zod' }] } },
      { at, send: `${all}/{k.dependency}`, as: 'ci', ok: 200 },
      { at, send: all, as: 'long', lines: [['X-Org-Id', '{i.bob.org}']], ok: 200, headers: { 'X-Org-Id': null } },
      { at, send: all, as: 'foreign', ok: 200, body: { data: [] } },
      { at, send: `${all}/{k.dependency}`, as: 'foreign', no: 'not_found' },
      { at, send: 'DELETE /api/dependencies/{k.dependency}', as: 'reader', no: `insufficient_scope:${write}` },
      { at, send: 'DELETE /api/dependencies/{k.dependency}', as: 'deploy', ok: 204 },
      ...each('reader', 'forbidden', 'GET /api/me', 'POST /auth/sync', 'POST /api/invitations', 'GET /internal/stats'),
      ...each('reader', 'forbidden', ...handling),
      { at, send: all, as: 'ci', lines: [seam], no: 'bad_request' },
      { at, send: all, as: 'ci', lines: [['Authorization', 'Bearer {k.ci.key}']], no: 'bad_request' },
      { at, send: all, as: 'kim', lines: [['Authorization', 'Bearer {k.ci.key}']], no: 'bad_request' },
      { at, send: `${all}?access_token={k.ci.key}`, no: 'unauthorized:absent' },
      { at, send: all, lines: [['Authorization', 'Bearer {k.ci.key}x']], no: 'unauthorized' },
      { at, send: all, lines: [['Authorization', 'Bearer {K.CI.KEY}']], no: 'unauthorized' },
      { at, send: all, lines: [['Authorization', 'Bearer {k.ci.key}x'], seam], no: 'bad_request' },
      mistyped('kim'),
    ],
  },
  {
    title: 'Intello: a key is rotated, revoked, expires',
    steps: [
      {
        ...{ at, send: 'POST /api/keys/{k.ci}/rotate', as: 'kim', ok: 200, body: issued(CI, '{k.ci}') },
        ...{ headers: noStore, keep: { 'token of ci anew': 'data.key' } },
      },
      used('ci', 'unauthorized'),
      used('ci anew'),
      {
        ...{ at, send: 'POST /api/keys/{k.deploy}/rotate', as: 'kim', json: { overlap_seconds: 3600 }, ok: 200 },
        ...{ body: issued(DEPLOY, '{k.deploy}'), keep: { 'token of deploy anew': 'data.key' } },
      },
      used('deploy'),
      used('deploy anew'),
      rotationEnds('kim'),
      expiryEnds('kim'),
      ...isRefused(
        'POST /api/keys/{k.ci}/rotate',
        'validation_error:overlap_seconds',
        ...[-1, 1.5, '60', 604_801, null].map((overlap_seconds) => ({ overlap_seconds })),
      ),
      ...isRefused('POST /api/keys/{k.ci}/rotate', 'validation_error:body', [], 'text'),
      { at, send: 'POST /api/keys/{k.ci}/rotate', as: 'kim', text: '{}', no: 'unsupported_media_type' },
      ...each('kim', 'not_found', 'POST /api/keys/x/rotate', 'DELETE /api/keys/x', 'DELETE /api/keys/{k.foreign}'),
      { at, send: 'DELETE /api/keys/{k.deploy}', as: 'kim', ok: 204 },
      used('deploy', 'unauthorized'),
      used('deploy anew', 'unauthorized'),
      ...each('kim', 'not_found', 'POST /api/keys/{k.deploy}/rotate', 'DELETE /api/keys/{k.deploy}'),
      used('ci anew'),
    ],
  },
  {
    title: 'Intello: a machine account, and no keys at all',
    steps: [machineAccount, keysOff('kim', 'ci anew'), { at, send: 'GET /api/me', as: 'kim', ok: 200 }],
  },
]
