/** The tour of Iron's organizations and their people: members, roles, invitations. */
import type { Chapter, RequestStep } from './step.ts'

const at = 'iron'
const me = 'GET /api/v1/me'
const myOrgs = 'GET /api/v1/orgs'
const members = '/api/v1/orgs/{ada.org}/members'
const add = `POST ${members}`
const invitations = '/api/v1/invitations'
const invite = `POST ${invitations}`
const mine = `GET ${invitations}/mine`
const seam = ['X-Iron-CRM-Secret', '{secret}'] as const
const json = ['Content-Type', 'application/json'] as const
const inAdasOrg = [['X-Org-Id', '{ada.org}']] as const
const nonsense = [['X-Org-Id', 'nonsense']] as const
const nobody = '11111111-1111-4111-8111-111111111111'

const refused = (send: string, as: string, body: unknown, no: string): RequestStep => ({ at, send, as, json: body, no })
const change = (who: string): string => `PATCH ${members}/{${who}}`
const remove = (who: string): string => `DELETE ${members}/{${who}}`
const becomes = (who: string, role: string): RequestStep => ({
  at,
  send: change(who),
  as: 'ada',
  json: { role },
  ok: 200,
  body: { member: { id: `{${who}}`, user_id: `{${who}}`, role } },
  headers: { 'X-Org-Id': '{ada.org}' },
})
const member = (who: string, role: string): unknown => ({
  user_id: `{${who}}`,
  email: `${who}@example.test`,
  role,
  joined_at: '*',
})
const signsIn = (who: string): RequestStep => ({
  at,
  send: me,
  as: who,
  ok: 200,
  keep: { [who]: 'user.id', [`${who}.org`]: 'org.id' },
})
const invites = (as: string, who: string, role: string): RequestStep => ({
  at,
  send: invite,
  as,
  lines: inAdasOrg,
  json: { email: `${who}@example.test`, role },
  ok: 201,
  body: { invitation: { id: '*', email: `${who}@example.test`, role, expires_at: '*' } },
  keep: { [`for.${who}`]: 'invitation.id' },
})
const accepts = (who: string): string => `POST ${invitations}/{for.${who}}/accept`
const accepted = (who: string, role: string): RequestStep => ({
  at,
  send: accepts(who),
  as: who,
  ok: 200,
  body: { membership: { org: { id: '{ada.org}', name: '*' }, role } },
})

/** The chapters. */
export const IRON_PEOPLE: readonly Chapter[] = [
  {
    title: 'Iron: members and their roles',
    steps: [
      {
        at,
        send: add,
        as: 'ada',
        json: { user_id: '{bob}', role: 'member' },
        ok: 201,
        body: { member: { id: '{bob}', user_id: '{bob}', role: 'member' } },
        headers: { 'X-Org-Id': '{ada.org}' },
      },
      { at, send: me, as: 'bob', ok: 200, headers: { 'X-Org-Id': '{bob.org}' } },
      {
        at,
        send: me,
        as: 'bob',
        lines: inAdasOrg,
        ok: 200,
        body: {
          user: { id: '{bob}', email: 'bob@example.test' },
          org: { id: '{ada.org}', name: '*' },
          member: { role: 'member' },
          tenant: { id: '{ada.tenant}' },
        },
      },
      {
        at,
        send: myOrgs,
        as: 'bob',
        ok: 200,
        body: {
          orgs: [
            { id: '{bob.org}', name: '*', role: 'owner' },
            { id: '{ada.org}', name: '*', role: 'member' },
          ],
        },
      },
      { at, send: 'POST /api/v1/contacts', as: 'bob', lines: inAdasOrg, json: { name: 'Bob writes' }, ok: 201 },
      refused(add, 'ada', { user_id: '{bob}', role: 'member' }, 'conflict'),
      refused(add, 'ada', { user_id: '{bob}', role: 'admin' }, 'conflict'),
      refused(add, 'ada', { user_id: nobody, role: 'member' }, 'not_found'),
      refused(add, 'ada', { user_id: 'nobody', role: 'member' }, 'not_found'),
      refused(add, 'ada', { user_id: '{cyd}', role: 'king' }, 'validation_error:role'),
      refused(add, 'ada', { user_id: '{cyd}' }, 'validation_error:role'),
      refused(add, 'ada', { role: 'member' }, 'validation_error:user_id'),
      refused(add, 'ada', { user_id: 7, role: 'member' }, 'validation_error:user_id'),
      refused(add, 'ada', [], 'validation_error:body'),
      { at, send: add, as: 'ada', text: '{', lines: [json], no: 'validation_error:body' },
      { at, send: add, as: 'ada', text: '{}', no: 'unsupported_media_type' },
      { at, send: add, as: 'ada', json: { user_id: 'x'.repeat(17_000) }, no: 'payload_too_large' },
      refused(add, 'bob', { user_id: '{cyd}', role: 'member' }, 'forbidden'),
      refused(add, 'bob', { nonsense: true }, 'forbidden'),
      refused(add, 'cyd', { user_id: '{cyd}', role: 'owner' }, 'forbidden'),
      refused('POST /api/v1/orgs/nonsense/members', 'ada', { user_id: '{cyd}', role: 'member' }, 'invalid_org_id'),
      { at, send: add, as: 'ada', lines: [['X-Org-Id', '{bob.org}']], json: {}, no: 'org_selector_conflict' },
      { at, send: add, json: {}, no: 'unauthorized:absent' },
      { at, send: add, lines: [seam], json: {}, no: 'forbidden' },
      refused(add, 'ada as a guest', {}, 'forbidden'),
      { at, send: add, as: 'ada', json: { user_id: '{CYD}', role: 'admin' }, ok: 201 },
      refused(add, 'cyd', { user_id: '{bob}', role: 'owner' }, 'forbidden'),
      { at, send: remove('ada'), as: 'cyd', no: 'forbidden' },
      { at, send: remove('cyd'), as: 'bob', no: 'forbidden' },
      { at, send: `DELETE ${members}/${nobody}`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${members}/nobody`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${members}/${nobody}`, as: 'bob', no: 'forbidden' },
      { at, send: remove('ada'), as: 'ada', no: 'conflict' },
      { at, send: remove('ada'), no: 'unauthorized:absent' },
    ],
  },
  {
    title: 'Iron: who is a member, and of what role',
    steps: [
      {
        at,
        send: `GET ${members}`,
        as: 'ada',
        ok: 200,
        body: { members: [member('ada', 'owner'), member('bob', 'member'), member('cyd', 'admin')] },
        headers: { 'X-Org-Id': '{ada.org}' },
      },
      { at, send: `GET ${members}`, as: 'cyd', ok: 200 },
      { at, send: `GET ${members}`, as: 'bob', no: 'forbidden' },
      { at, send: `GET /api/v1/orgs/{bob.org}/members`, as: 'ada', no: 'forbidden' },
      { at, send: `GET /api/v1/orgs/${nobody}/members`, as: 'ada', no: 'forbidden' },
      { at, send: 'GET /api/v1/orgs/nonsense/members', as: 'ada', no: 'invalid_org_id' },
      { at, send: `GET ${members}`, as: 'ada', lines: nonsense, no: 'invalid_org_id' },
      { at, send: `GET ${members}`, no: 'unauthorized:absent' },
      { at, send: `GET ${members}`, lines: [seam], no: 'forbidden' },
      becomes('bob', 'admin'),
      becomes('bob', 'admin'),
      becomes('bob', 'member'),
      { at, send: `PATCH ${members}/{BOB}`, as: 'ada', json: { role: 'member' }, ok: 200 },
      { ...becomes('bob', 'admin'), as: 'cyd' },
      refused(change('bob'), 'cyd', { role: 'owner' }, 'forbidden'),
      refused(change('ada'), 'cyd', { role: 'member' }, 'forbidden'),
      refused(change('ada'), 'cyd', { role: 'owner' }, 'forbidden'),
      refused(change('ada'), 'ada', { role: 'admin' }, 'conflict'),
      becomes('ada', 'owner'),
      refused(change('bob'), 'ada', { role: 'king' }, 'validation_error:role'),
      refused(change('bob'), 'ada', {}, 'validation_error:role'),
      refused(change('bob'), 'ada', [], 'validation_error:body'),
      { at, send: change('bob'), as: 'ada', text: '{}', no: 'unsupported_media_type' },
      refused(`PATCH ${members}/${nobody}`, 'ada', { role: 'member' }, 'not_found'),
      refused(`PATCH ${members}/nobody`, 'ada', { role: 'member' }, 'not_found'),
      { at, send: change('bob'), json: { role: 'owner' }, no: 'unauthorized:absent' },
      becomes('bob', 'member'),
      refused(change('cyd'), 'bob', { nonsense: true }, 'forbidden'),
      becomes('bob', 'owner'),
      { at, send: remove('ada'), as: 'cyd', no: 'forbidden' },
      becomes('bob', 'member'),
      { at, send: remove('cyd'), as: 'cyd', ok: 204 },
      { at, send: `GET ${members}`, as: 'cyd', no: 'forbidden' },
      { at, send: remove('bob'), as: 'ada', ok: 204 },
      { at, send: remove('bob'), as: 'ada', no: 'not_found' },
      { at, send: me, as: 'bob', lines: inAdasOrg, no: 'forbidden' },
    ],
  },
  {
    title: 'Iron: invitations, which the first login takes',
    steps: [
      {
        at,
        send: invite,
        as: 'ada',
        json: { email: ' DAN@example.test', role: 'admin' },
        ok: 201,
        body: { invitation: { id: '*', email: 'dan@example.test', role: 'admin', expires_at: '*' } },
        headers: { 'X-Org-Id': '{ada.org}' },
        keep: { 'for.dan': 'invitation.id' },
      },
      refused(invite, 'ada', { email: 'dan@example.test', role: 'member' }, 'conflict'),
      refused(invite, 'ada', { email: 'ADA@example.test', role: 'member' }, 'conflict'),
      refused(invite, 'ada', { email: 'dan', role: 'member' }, 'validation_error:email'),
      refused(invite, 'ada', { email: `${'x'.repeat(250)}@f.test`, role: 'member' }, 'validation_error:email'),
      refused(invite, 'ada', { role: 'member' }, 'validation_error:email'),
      refused(invite, 'ada', { email: 'e@f.test' }, 'validation_error:role'),
      refused(invite, 'ada', { email: 'e@f.test', role: 'king' }, 'validation_error:role'),
      refused(invite, 'ada', [], 'validation_error:body'),
      { at, send: invite, as: 'ada', text: '{}', no: 'unsupported_media_type' },
      { at, send: invite, json: {}, no: 'unauthorized:absent' },
      { at, send: invite, lines: [seam], json: {}, no: 'forbidden' },
      { at, send: invite, as: 'ada', lines: [['X-Org-Id', '{bob.org}']], json: {}, no: 'forbidden' },
      { at, send: invite, as: 'ada', lines: nonsense, json: {}, no: 'invalid_org_id' },
      {
        at,
        send: `GET ${invitations}`,
        as: 'ada',
        ok: 200,
        body: { invitations: [{ id: '{for.dan}', email: 'dan@example.test', role: 'admin', expires_at: '*' }] },
        headers: { 'X-Org-Id': '{ada.org}' },
      },
      { at, send: `GET ${invitations}`, as: 'bob', ok: 200, body: { invitations: [] } },
      { at, send: `GET ${invitations}`, as: 'bob', lines: inAdasOrg, no: 'forbidden' },
      {
        at,
        send: me,
        as: 'dan',
        times: 20,
        ok: 200,
        body: {
          user: { id: '*', email: 'dan@example.test' },
          org: { id: '{ada.org}', name: '*' },
          member: { role: 'admin' },
          tenant: { id: '{ada.tenant}' },
        },
        keep: { dan: 'user.id' },
      },
      { at, send: 'GET /api/v1/pipelines', as: 'dan', ok: 200, body: { pipelines: [{ id: '*', name: '*' }] } },
      { at, send: `GET ${invitations}`, as: 'dan', ok: 200, body: { invitations: [] } },
      { at, send: accepts('dan'), as: 'dan', no: 'not_found' },
      refused(invite, 'dan', { email: 'e@f.test', role: 'owner' }, 'forbidden'),
      invites('dan', 'eve', 'member'),
      { at, send: me, as: 'eve unconfirmed', ok: 200, keep: { eve: 'user.id', 'eve.org': 'org.id' } },
      { at, send: me, as: 'eve', lines: inAdasOrg, no: 'forbidden' },
      { at, send: mine, as: 'eve unconfirmed', ok: 200, body: { invitations: [] } },
      { at, send: accepts('eve'), as: 'eve unconfirmed', no: 'not_found' },
      // Two at once: whose it is to be is for the one invited to say.
      invites('ada', 'fay', 'member'),
      { at, send: invite, as: 'bob', json: { email: 'fay@example.test', role: 'admin' }, ok: 201 },
      { at, send: me, as: 'fay', ok: 200, keep: { fay: 'user.id', 'fay.org': 'org.id' } },
      { at, send: myOrgs, as: 'fay', ok: 200, body: { orgs: [{ id: '{fay.org}', name: '*', role: 'owner' }] } },
      {
        at,
        send: mine,
        as: 'fay',
        ok: 200,
        body: {
          invitations: [
            {
              ...{ id: '{for.fay}', email: 'fay@example.test', role: 'member', expires_at: '*' },
              org: { id: '{ada.org}', name: '*' },
            },
            {
              ...{ id: '*', email: 'fay@example.test', role: 'admin', expires_at: '*' },
              org: { id: '{bob.org}', name: '*' },
            },
          ],
        },
      },
      accepted('fay', 'member'),
    ],
  },
  {
    title: 'Iron: invitations that are accepted, revoked, or no longer good',
    steps: [
      invites('ada', 'cyd', 'member'),
      {
        at,
        send: mine,
        as: 'cyd',
        lines: nonsense,
        ok: 200,
        body: {
          invitations: [
            {
              ...{ id: '{for.cyd}', email: 'cyd@example.test', role: 'member', expires_at: '*' },
              org: { id: '{ada.org}', name: '*' },
            },
          ],
        },
        headers: { 'X-Org-Id': null },
      },
      { at, send: mine, as: 'bob', ok: 200, body: { invitations: [] } },
      { at, send: mine, no: 'unauthorized:absent' },
      { at, send: mine, lines: [seam], no: 'forbidden' },
      { at, send: accepts('cyd'), as: 'bob', no: 'not_found' },
      { at, send: accepts('cyd'), no: 'unauthorized:absent' },
      { at, send: accepts('cyd'), lines: [seam], no: 'forbidden' },
      { at, send: accepts('cyd'), as: 'cyd as a guest', no: 'forbidden' },
      { at, send: `POST ${invitations}/${nobody}/accept`, as: 'cyd', no: 'not_found' },
      { at, send: `POST ${invitations}/nonsense/accept`, as: 'cyd', no: 'not_found' },
      { at, send: me, as: 'cyd', lines: inAdasOrg, no: 'forbidden' },
      { ...accepted('cyd', 'member'), text: '{', lines: nonsense },
      { at, send: accepts('cyd'), as: 'cyd', no: 'not_found' },
      { at, send: me, as: 'cyd', lines: inAdasOrg, ok: 200 },
      // As the very first request: a member there, and no organization beside it.
      invites('ada', 'gil', 'admin'),
      accepted('gil', 'admin'),
      { at, send: myOrgs, as: 'gil', ok: 200, body: { orgs: [{ id: '{ada.org}', name: '*', role: 'admin' }] } },
      { at, send: me, as: 'gil', ok: 200, keep: { gil: 'user.id' } },
      // An invitation that a membership has overtaken.
      signsIn('hoa'),
      invites('ada', 'hoa', 'member'),
      { at, send: add, as: 'ada', json: { user_id: '{hoa}', role: 'member' }, ok: 201 },
      { at, send: accepts('hoa'), as: 'hoa', no: 'conflict' },
      // Revoked by those who could have made it.
      invites('ada', 'ivy', 'owner'),
      { at, send: `DELETE ${invitations}/{for.ivy}`, as: 'gil', no: 'forbidden' },
      { at, send: `DELETE ${invitations}/{for.ivy}`, as: 'hoa', lines: inAdasOrg, no: 'forbidden' },
      { at, send: `DELETE ${invitations}/{for.ivy}`, as: 'bob', no: 'not_found' },
      { at, send: `DELETE ${invitations}/{for.ivy}`, no: 'unauthorized:absent' },
      { at, send: `DELETE ${invitations}/{for.ivy}`, as: 'ada', ok: 204 },
      { at, send: `DELETE ${invitations}/{for.ivy}`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${invitations}/${nobody}`, as: 'ada', no: 'not_found' },
      { at, send: `DELETE ${invitations}/nonsense`, as: 'ada', no: 'not_found' },
      { at, send: accepts('ivy'), as: 'ivy', no: 'not_found' },
      { ...invites('gil', 'ivy', 'member') },
      // One whose inviter may no longer grant its role is nobody's.
      becomes('gil', 'owner'),
      invites('gil', 'joy', 'owner'),
      invites('gil', 'kay', 'admin'),
      becomes('gil', 'admin'),
      { at, send: accepts('joy'), as: 'joy', no: 'not_found' },
      { at, send: mine, as: 'joy', ok: 200, body: { invitations: [] } },
      { at, send: myOrgs, as: 'joy', ok: 200, body: { orgs: [{ id: '*', name: '*', role: 'owner' }] } },
      { at, send: me, as: 'kay', ok: 200, headers: { 'X-Org-Id': '{ada.org}' } },
      { at, send: remove('gil'), as: 'ada', ok: 204 },
      { at, send: accepts('ivy'), as: 'ivy', no: 'not_found' },
      { at, send: mine, as: 'ivy', ok: 200, body: { invitations: [] } },
    ],
  },
  {
    title: 'Iron: a user without an organization',
    steps: [
      { at, send: remove('dan'), as: 'dan', ok: 204 },
      { at, send: me, as: 'dan', no: 'forbidden' },
      { at, send: me, as: 'dan', lines: inAdasOrg, no: 'forbidden' },
      { at, send: myOrgs, as: 'dan', lines: nonsense, ok: 200, body: { orgs: [] } },
      { at, send: mine, as: 'dan', ok: 200, body: { invitations: [] } },
      invites('ada', 'dan', 'member'),
      { at, send: me, as: 'dan', no: 'forbidden' },
      accepted('dan', 'member'),
      { at, send: myOrgs, as: 'dan', ok: 200, body: { orgs: [{ id: '{ada.org}', name: '*', role: 'member' }] } },
    ],
  },
]
