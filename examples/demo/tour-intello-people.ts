/** The tour of Intello's organizations and their people: invitations, roles, who moves. */
import type { Chapter, RequestStep } from './step.ts'

const at = 'intello'
const seam = ['X-Platform-Api-Key', '{secret}'] as const
const json = ['Content-Type', 'application/json'] as const
const me = 'GET /api/me'
const sync = 'POST /auth/sync'
const all = 'GET /api/dependencies'
const add = 'POST /api/dependencies'
const invitations = '/api/invitations'
const invite = `POST ${invitations}`
const mine = `GET ${invitations}/mine`
const nobody = '11111111-1111-4111-8111-111111111111'

const userOf = (name: string, org: string, role: string): unknown => ({
  data: { user: { id: '*', email: `${name}@example.test`, org_id: org, role } },
})
const refused = (send: string, as: string, body: unknown, no: string): RequestStep => ({ at, send, as, json: body, no })
const invites = (as: string, who: string, role: string): RequestStep => ({
  at,
  send: invite,
  as,
  json: { email: `${who}@example.test`, role },
  ok: 201,
  body: { data: { id: '*', email: `${who}@example.test`, role, expires_at: '*' } },
  keep: { [`i.for.${who}`]: 'data.id' },
})
const syncs = (who: string): RequestStep => ({
  at,
  send: sync,
  as: who,
  ok: 201,
  body: userOf(who, '*', 'admin'),
  keep: { [`i.${who}.org`]: 'data.user.org_id' },
})
const accepts = (who: string): string => `POST ${invitations}/{i.for.${who}}/accept`
const accepted = (who: string, role: string): RequestStep => ({
  at,
  send: accepts(who),
  as: who,
  ok: 200,
  body: { data: { org: { id: '{i.ada.org}', name: '*' }, role } },
})

/** The chapters. */
export const INTELLO_PEOPLE: readonly Chapter[] = [
  {
    title: 'Intello: invitations and roles',
    steps: [
      { ...invites('ada', 'eve', 'viewer'), json: { email: ' Eve@Example.test', role: 'viewer' } },
      refused(invite, 'ada', { email: 'eve@example.test', role: 'admin' }, 'conflict'),
      refused(invite, 'ada', { email: 'ada@example.test', role: 'viewer' }, 'conflict'),
      refused(invite, 'ada', { email: 'eve', role: 'viewer' }, 'validation_error:email'),
      refused(invite, 'ada', { role: 'viewer' }, 'validation_error:email'),
      refused(invite, 'ada', { email: 'fay@example.test', role: 'owner' }, 'validation_error:role'),
      refused(invite, 'ada', { email: 'fay@example.test' }, 'validation_error:role'),
      refused(invite, 'ada', 'text', 'validation_error:body'),
      { at, send: invite, as: 'ada', text: '{', lines: [json], no: 'validation_error:body' },
      { at, send: invite, as: 'ada', text: '{}', no: 'unsupported_media_type' },
      { at, send: invite, as: 'zoe', text: '{', no: 'user_not_synced' },
      { at, send: invite, json: {}, no: 'unauthorized:absent' },
      { at, send: invite, lines: [seam], json: {}, no: 'forbidden' },
      invites('ada', 'bob', 'viewer'),
      { at, send: sync, as: 'bob', ok: 200, body: userOf('bob', '{i.bob.org}', 'admin') },
      { at, send: accepts('eve'), as: 'eve', no: 'user_not_synced' },
      {
        at,
        send: sync,
        as: 'eve',
        times: 50,
        once: 201,
        ok: 200,
        body: userOf('eve', '{i.ada.org}', 'viewer'),
      },
      { at, send: me, as: 'eve', ok: 200, body: userOf('eve', '{i.ada.org}', 'viewer') },
      { at, send: accepts('eve'), as: 'eve', no: 'not_found' },
      { at, send: `${all}/{dependency}`, as: 'eve', ok: 200 },
      { at, send: add, as: 'eve', json: { name: 'x' }, no: 'forbidden' },
      { at, send: add, as: 'eve', text: '{', no: 'forbidden' },
      { at, send: 'DELETE /api/dependencies/{dependency}', as: 'eve', no: 'forbidden' },
      refused(invite, 'eve', {}, 'forbidden'),
      { at, send: `GET ${invitations}`, as: 'eve', no: 'forbidden' },
      { at, send: `DELETE ${invitations}/{i.for.bob}`, as: 'eve', no: 'forbidden' },
      invites('ada', 'gus', 'member'),
      { at, send: sync, as: 'gus', ok: 201, body: userOf('gus', '{i.ada.org}', 'member') },
      { at, send: add, as: 'gus', json: { name: 'is-odd' }, ok: 201, keep: { odd: 'data.id' } },
      { at, send: 'DELETE /api/dependencies/{odd}', as: 'gus', ok: 204 },
      refused(invite, 'gus', { email: 'x@example.test', role: 'viewer' }, 'forbidden'),
      invites('ada', 'hal', 'admin'),
      {
        at,
        send: sync,
        as: 'hal unconfirmed',
        ok: 201,
        body: userOf('hal', '*', 'admin'),
        keep: { hal: 'data.user.org_id' },
      },
      { at, send: `${all}/{dependency}`, as: 'hal', no: 'not_found' },
      { at, send: mine, as: 'hal unconfirmed', ok: 200, body: { data: [] } },
      { at, send: accepts('hal'), as: 'hal unconfirmed', no: 'not_found' },
    ],
  },
  {
    title: 'Intello: invitations that are listed, revoked, accepted',
    steps: [
      {
        at,
        send: `GET ${invitations}`,
        as: 'ada',
        ok: 200,
        body: {
          data: [
            { id: '{i.for.bob}', email: 'bob@example.test', role: 'viewer', expires_at: '*' },
            { id: '{i.for.hal}', email: 'hal@example.test', role: 'admin', expires_at: '*' },
          ],
        },
      },
      { at, send: `GET ${invitations}`, as: 'bob', ok: 200, body: { data: [] } },
      { at, send: `GET ${invitations}`, no: 'unauthorized:absent' },
      { at, send: `GET ${invitations}`, as: 'zoe', no: 'user_not_synced' },
      { at, send: `GET ${invitations}`, lines: [seam], no: 'forbidden' },
      { at, send: mine, as: 'zoe', no: 'user_not_synced' },
      {
        at,
        send: mine,
        as: 'bob',
        lines: [['X-Org-Id', 'nonsense']],
        ok: 200,
        body: {
          data: [
            {
              ...{ id: '{i.for.bob}', email: 'bob@example.test', role: 'viewer', expires_at: '*' },
              org: { id: '{i.ada.org}', name: '*' },
            },
          ],
        },
      },
      { at, send: accepts('bob'), as: 'eve', no: 'not_found' },
      { at, send: accepts('bob'), no: 'unauthorized:absent' },
      { at, send: accepts('bob'), lines: [seam], no: 'forbidden' },
      { at, send: `POST ${invitations}/${nobody}/accept`, as: 'bob', no: 'not_found' },
      { at, send: `POST ${invitations}/nonsense/accept`, as: 'bob', no: 'not_found' },
      { at, send: `DELETE ${invitations}/{i.for.bob}`, as: 'bob', no: 'not_found' },
      // Who is alone in an organization without dependencies moves; with one, stays.
      { at, send: add, as: 'bob', json: { name: 'left-alone' }, ok: 201, keep: { alone: 'data.id' } },
      { at, send: accepts('bob'), as: 'bob', no: 'conflict' },
      { at, send: me, as: 'bob', ok: 200, body: userOf('bob', '{i.bob.org}', 'admin') },
      { at, send: 'DELETE /api/dependencies/{alone}', as: 'bob', ok: 204 },
      { ...accepted('bob', 'viewer'), text: '{', lines: [json] },
      { at, send: me, as: 'bob', ok: 200, body: userOf('bob', '{i.ada.org}', 'viewer') },
      { at, send: sync, as: 'bob', ok: 200, body: userOf('bob', '{i.ada.org}', 'viewer') },
      { at, send: accepts('bob'), as: 'bob', no: 'not_found' },
      { at, send: `${all}/{dependency}`, as: 'bob', ok: 200 },
      // Who is not alone in theirs stays.
      syncs('kit'),
      invites('kit', 'lyn', 'viewer'),
      { at, send: sync, as: 'lyn', ok: 201, body: userOf('lyn', '{i.kit.org}', 'viewer') },
      invites('ada', 'kit', 'member'),
      { at, send: accepts('kit'), as: 'kit', no: 'conflict' },
      { at, send: `DELETE ${invitations}/{i.for.kit}`, as: 'kit', no: 'not_found' },
      { at, send: `DELETE ${invitations}/{i.for.kit}`, as: 'ada', ok: 204 },
      { at, send: `DELETE ${invitations}/{i.for.kit}`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${invitations}/${nobody}`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${invitations}/nonsense`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${invitations}/{i.for.kit}`, no: 'unauthorized:absent' },
      { at, send: accepts('kit'), as: 'kit', no: 'not_found' },
      // Two at once: whose it is to be is for the one invited to say.
      invites('kit', 'una', 'viewer'),
      invites('ada', 'una', 'member'),
      syncs('una'),
      accepted('una', 'member'),
      { at, send: me, as: 'una', ok: 200, body: userOf('una', '{i.ada.org}', 'member') },
    ],
  },
]
