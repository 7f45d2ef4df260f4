/** The tour of Intello: its document, rule by rule. */
import type { Chapter, RequestStep } from './step.ts'
import { INTELLO_PEOPLE } from './tour-intello-people.ts'

const at = 'intello'
const seam = ['X-Platform-Api-Key', '{secret}'] as const
const me = 'GET /api/me'
const sync = 'POST /auth/sync'
const json = ['Content-Type', 'application/json'] as const
const all = 'GET /api/dependencies'
const add = 'POST /api/dependencies'

const refused = (no: string, ...whos: string[]): RequestStep[] => whos.map((as) => ({ at, send: me, as, no }))
const userOf = (name: string, org: string, role: string): unknown => ({
  data: { user: { id: '*', email: `${name}@example.test`, org_id: org, role } },
})

/** The chapters. */
export const INTELLO: readonly Chapter[] = [
  {
    title: 'Intello: who is let in',
    steps: [
      { at, send: 'GET /health', ok: 200, body: { status: 'ok' } },
      { at, send: me, no: 'unauthorized:absent' },
      { at, send: 'GET /api/no-such-route', no: 'unauthorized:absent' },
      { at, send: 'GET /api/no-such-route', as: 'ada', no: 'user_not_synced' },
      { at, send: 'GET /no-such-route', no: 'not_found' },
      ...refused('unauthorized', 'ada by HS256', 'ada by RS256', 'ada by EdDSA', 'ada of another issuer'),
      ...refused('unauthorized', 'ada for another audience', 'ada with a foreign kid', 'ada without subject'),
      ...refused('token_expired', 'ada expired'),
      ...refused('unauthorized', 'ada bound to a key'),
      // Before they are asked to sync, and when they try to.
      ...refused('forbidden', 'ada as a guest', 'ada through an app', 'ada of a machine'),
      ...['ada as a guest', 'ada through an app', 'ada of a machine'].map(
        (as): RequestStep => ({ at, send: sync, as, no: 'forbidden' }),
      ),
      { at, send: me, as: 'ada', lines: [['Authorization', 'Bearer x']], no: 'bad_request' },
      { at, send: me, lines: [['Authorization', 'Bearer itk_0123456789']], no: 'unauthorized' },
    ],
  },
  {
    title: 'Intello: the sync gate',
    steps: [
      ...refused('user_not_synced', 'ada', 'ada just expired', 'ada without kid'),
      { at, send: add, as: 'ada', text: '{', no: 'user_not_synced' },
      { at, send: sync, no: 'unauthorized:absent' },
      { at, send: sync, as: 'ada expired', no: 'token_expired' },
      {
        at,
        send: sync,
        as: 'ada',
        times: 100,
        once: 201,
        ok: 200,
        body: userOf('ada', '*', 'admin'),
        keep: { 'i.ada': 'data.user.id', 'i.ada.org': 'data.user.org_id' },
      },
      { at, send: sync, as: 'ada', ok: 200, body: userOf('ada', '{i.ada.org}', 'admin') },
      { at, send: sync, as: 'ada', text: 'x'.repeat(100_000), ok: 200, body: userOf('ada', '{i.ada.org}', 'admin') },
      { at, send: sync, as: 'ada', text: '{', lines: [json], ok: 200 },
      { at, send: me, as: 'ada', ok: 200, body: userOf('ada', '{i.ada.org}', 'admin') },
      { at, send: 'GET /api/no-such-route', as: 'ada', no: 'not_found' },
      {
        at,
        send: sync,
        as: 'bob',
        ok: 201,
        body: userOf('bob', '*', 'admin'),
        keep: { 'i.bob.org': 'data.user.org_id' },
      },
    ],
  },
  {
    title: "Intello: the organization comes from the user's row",
    steps: [
      {
        at,
        send: me,
        as: 'ada',
        lines: [['X-Org-Id', '{i.bob.org}']],
        ok: 200,
        body: userOf('ada', '{i.ada.org}', 'admin'),
        headers: { 'X-Org-Id': null },
      },
      { at, send: me, as: 'ada', lines: [['X-Org-Id', 'nonsense']], ok: 200 },
      { at, send: me, as: 'ada claiming an org', ok: 200, body: userOf('ada', '{i.ada.org}', 'admin') },
      { at, send: all, as: 'ada', ok: 200, body: { data: [] } },
      {
        at,
        send: add,
        as: 'ada',
        json: { name: 'left-pad', org_id: '{i.bob.org}' },
        ok: 201,
        body: { data: { id: '*', name: 'left-pad' } },
        keep: { dependency: 'data.id' },
      },
      { at, send: all, as: 'ada', ok: 200, body: { data: [{ id: '{dependency}', name: 'left-pad' }] } },
      {
        at,
        send: `${all}/{dependency}`,
        as: 'ada',
        ok: 200,
        body: { data: { id: '{dependency}', name: 'left-pad' } },
      },
      { at, send: all, as: 'bob', ok: 200, body: { data: [] } },
      { at, send: `${all}/{dependency}`, as: 'bob', no: 'not_found' },
      { at, send: 'DELETE /api/dependencies/{dependency}', as: 'bob', no: 'not_found' },
      { at, send: add, as: 'ada', json: { name: '' }, no: 'validation_error:name' },
      { at, send: add, as: 'ada', json: 'text', no: 'validation_error:body' },
      { at, send: add, as: 'ada', text: '{', lines: [json], no: 'validation_error:body' },
      { at, send: add, as: 'ada', text: '{}', no: 'unsupported_media_type' },
      { at, send: add, as: 'ada', json: { name: 'x'.repeat(17_000) }, no: 'payload_too_large' },
    ],
  },
  ...INTELLO_PEOPLE,
  {
    title: 'Intello: the platform key',
    steps: [
      { at, send: 'GET /internal/stats', lines: [seam], ok: 200, body: { data: { users: 8, orgs: 5 } } },
      { at, send: 'GET /internal/stats', no: 'unauthorized:absent' },
      { at, send: 'GET /internal/stats', as: 'ada', no: 'forbidden' },
      { at, send: 'GET /internal/stats', lines: [['X-Platform-Api-Key', 'wrong']], no: 'unauthorized' },
      { at, send: 'GET /internal/stats', as: 'ada', lines: [seam], no: 'bad_request' },
      { at, send: me, lines: [seam], no: 'forbidden' },
      { at, send: sync, lines: [seam], no: 'forbidden' },
      { at: 'intello without seam', send: 'GET /internal/stats', lines: [seam], no: 'unauthorized' },
      { at: 'intello without seam', send: 'GET /internal/stats', as: 'ada for the tour', no: 'forbidden' },
      { at: 'intello without seam', send: me, as: 'ada', lines: [seam], no: 'bad_request' },
      { at: 'intello without seam', send: me, as: 'ada', no: 'unauthorized' },
      { at: 'intello without seam', send: me, as: 'ada for the tour', no: 'user_not_synced' },
    ],
  },
]
