/** Iron's members and invitations, on both databases: what the tour has no words for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedApp } from '../../examples/demo/world.ts'
import {
  type Answer,
  type Asked,
  expectRefusal,
  HOSTILE_ADDRESSES,
  HOSTILE_IDS,
  HOSTILE_ROLES,
  openSystem,
  type SystemWithPeople,
  seenFrom,
} from './system-with-people.ts'

const WEEK_MS = 604_800_000
const NOBODY = '11111111-1111-4111-8111-111111111111'

describe.each(['SQLite', 'PostgreSQL'] as const)('on %s', (store) => {
  let system: SystemWithPeople
  // A second process over the same store, which goes by what a token itself says of its address.
  let beside: StartedApp
  beforeAll(async () => {
    system = await openSystem('iron', store)
    beside = await system.startBeside({ SUPABASE_CONFIRMS_EMAILS: 'false' })
  })
  afterAll(async () => {
    await beside.stop()
    await system.close()
  })

  const ask: SystemWithPeople['ask'] = (...asked) => system.ask(...asked)
  const addressOf = (who: string): string => `${who}@example.test`

  /** Sign somebody in for the first time: who they are, and where they act. */
  const signIn = async (who: string): Promise<{ readonly user: string; readonly org: string }> => {
    const answer = await ask(who, 'GET /api/v1/me')
    return { user: answer.get('user.id'), org: answer.get('org.id') }
  }

  /** Invite somebody: the id. */
  const invite = async (as: string, who: string, role: string, org?: string): Promise<string> => {
    const lines = org === undefined ? [] : [['X-Org-Id', org] as const]
    const answer = await ask(as, 'POST /api/v1/invitations', { json: { email: addressOf(who), role }, lines })
    expect(answer.status).toBe(201)
    return answer.get('invitation.id')
  }

  /** Make somebody a member of an organization: their user id. */
  const join = async (as: string, org: string, who: string, role: string): Promise<string> => {
    const { user } = await signIn(who)
    const answer = await ask(as, `POST /api/v1/orgs/${org}/members`, { json: { user_id: user, role } })
    expect(answer.status).toBe(201)
    return user
  }

  const accept = (who: string, id: string, asked: Asked = {}): Promise<Answer> =>
    ask(who, `POST /api/v1/invitations/${id}/accept`, asked)
  /** The same of either process. */
  const byEither = (index: number): Asked => ({
    claims: { email_verified: true },
    app: index % 2 === 0 ? undefined : beside,
  })
  const mine = async (who: string): Promise<unknown> => (await ask(who, 'GET /api/v1/invitations/mine')).body
  const orgsOf = async (who: string): Promise<unknown> => (await ask(who, 'GET /api/v1/orgs')).body
  const NONE = { invitations: [] }

  it('writes these bytes and these headers, no others', async () => {
    const { org } = await signIn('ada')
    const asked = Date.now()
    const made = await ask('ada', 'POST /api/v1/invitations', { json: { email: ' Eve@example.test ', role: 'admin' } })
    const [id, expires] = [made.get('invitation.id'), made.get('invitation.expires_at')]
    const text = `{"invitation":{"id":"${id}","email":"eve@example.test","role":"admin","expires_at":"${expires}"}}`
    const frame = { connection: 'keep-alive', 'keep-alive': 'timeout=5', 'cache-control': 'no-store' }
    const vary = 'Authorization, X-Org-Id'
    const json = (body: string) => ({
      ...{ ...frame, 'content-type': 'application/json; charset=utf-8', 'content-length': String(body.length) },
    })
    expect(seenFrom(made)).toEqual({ status: 201, headers: { ...json(text), vary, 'x-org-id': org }, text })
    expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(Date.parse(expires)).toBeGreaterThanOrEqual(asked + WEEK_MS)
    expect(Date.parse(expires)).toBeLessThanOrEqual(Date.now() + WEEK_MS)

    const listed = `{"invitations":[${text.slice('{"invitation":'.length, -1)}]}`
    const list = await ask('ada', 'GET /api/v1/invitations')
    expect(seenFrom(list)).toEqual({ status: 200, headers: { ...json(listed), vary, 'x-org-id': org }, text: listed })

    const accepted = await accept('eve', id)
    const membership = `{"membership":{"org":{"id":"${org}","name":"ada@example.test"},"role":"admin"}}`
    const withoutOrg = { ...json(membership), vary: 'Authorization' }
    expect(seenFrom(accepted)).toEqual({ status: 200, headers: withoutOrg, text: membership })

    const members = await ask('ada', `GET /api/v1/orgs/${org}/members`)
    const [first, second] = (members.body as { members: { user_id: string; joined_at: string }[] }).members
    const rows = [
      `{"user_id":"${first?.user_id}","email":"ada@example.test","role":"owner","joined_at":"${first?.joined_at}"}`,
      `{"user_id":"${second?.user_id}","email":"eve@example.test","role":"admin","joined_at":"${second?.joined_at}"}`,
    ]
    expect(members.text).toBe(`{"members":[${rows}]}`)
    expect(first?.joined_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const changed = await ask('ada', `PATCH /api/v1/orgs/${org}/members/${second?.user_id}`, {
      json: { role: 'member' },
    })
    expect(changed.text).toBe(`{"member":{"id":"${second?.user_id}","user_id":"${second?.user_id}","role":"member"}}`)
    const removed = await ask('ada', `DELETE /api/v1/orgs/${org}/members/${second?.user_id}`)
    const { headers } = removed
    expect({ ...(seenFrom(removed) as object), headers: [headers['x-org-id'], headers['content-type']] }).toEqual({
      ...{ status: 204, headers: [org, undefined], text: '' },
    })
  })

  describe('an invitation is nobody’s any more', () => {
    it.each([
      ['that has expired', (id: string) => `UPDATE invitations SET expires_at = created_at WHERE id = '${id}'`],
      ['of a disabled user', (_: string, by: string) => `UPDATE users SET disabled = true WHERE id = '${by}'`],
      [
        'of somebody who has left',
        (_: string, by: string) => `DELETE FROM memberships WHERE user_id = '${by}' AND role = 'admin'`,
      ],
      [
        'of somebody who may not invite any more',
        (_: string, by: string) => `UPDATE memberships SET role = 'member' WHERE user_id = '${by}' AND role = 'admin'`,
      ],
      ['whose role there is none any more', (id: string) => `UPDATE invitations SET role = 'king' WHERE id = '${id}'`],
    ])('%s', async (name, change) => {
      const key = name.replaceAll(/\W/g, '')
      const [owner, inviter, known, fresh] = ['owner', 'by', 'known', 'new'].map((part) => `${part}-${key}`) as [
        ...[string, string, string, string],
      ]
      const { org } = await signIn(owner)
      const by = await join(owner, org, inviter, 'admin')
      await signIn(known)
      const ids = [await invite(inviter, known, 'member', org), await invite(inviter, fresh, 'member', org)]
      for (const id of ids) await system.change(change(id, by))
      for (const [who, id] of [
        [known, ids[0]],
        [fresh, ids[1]],
      ] as const) {
        expectRefusal(await accept(who, id ?? ''), 404, 'not_found')
        expect(await mine(who)).toEqual(NONE)
        expect(await orgsOf(who)).toEqual({ orgs: [{ id: expect.any(String), name: addressOf(who), role: 'owner' }] })
      }
    })

    it('and where it has expired, not listed either, and its address can be invited anew', async () => {
      await signIn('hedy')
      const id = await invite('hedy', 'late', 'member')
      await system.change(`UPDATE invitations SET expires_at = created_at WHERE id = '${id}'`)
      expect((await ask('hedy', 'GET /api/v1/invitations')).body).toEqual(NONE)
      const next = await invite('hedy', 'late', 'admin')
      expect(next).not.toBe(id)
      expectRefusal(await accept('late', id), 404, 'not_found')
      expect((await accept('late', next)).status).toBe(200)
    })
  })

  it('lets a disabled user do nothing, be added by nobody, and count for no owner', async () => {
    const { org } = await signIn('olga')
    const off = await join('olga', org, 'off', 'owner')
    const spare = (await signIn('spare')).user
    const id = await invite('olga', 'spare2', 'member')
    await signIn('spare2')
    await system.change(`UPDATE users SET disabled = true WHERE id IN ('${off}', '${spare}')`)
    await system.change(`UPDATE users SET disabled = true WHERE email = 'spare2@example.test'`)
    const { user } = await signIn('olga')
    for (const [who, line] of [
      ['off', `GET /api/v1/orgs/${org}/members`],
      ['off', `DELETE /api/v1/orgs/${org}/members/${off}`],
      ['off', 'GET /api/v1/invitations/mine'],
      ['off', 'GET /api/v1/orgs'],
      ['spare2', `POST /api/v1/invitations/${id}/accept`],
      ['spare2', 'GET /api/v1/invitations/mine'],
    ] as const) {
      expectRefusal(await ask(who, line), 403, 'forbidden')
    }
    const add = { json: { user_id: spare, role: 'member' } }
    expectRefusal(await ask('olga', `POST /api/v1/orgs/${org}/members`, add), 404, 'not_found')
    const step = { json: { role: 'admin' } }
    expectRefusal(await ask('olga', `PATCH /api/v1/orgs/${org}/members/${user}`, step), 409, 'conflict')
    expectRefusal(await ask('olga', `DELETE /api/v1/orgs/${org}/members/${user}`), 409, 'conflict')
    expect((await ask('olga', `DELETE /api/v1/orgs/${org}/members/${off}`)).status).toBe(204)
  })

  it('counts an address as verified only where a top-level email_verified says so, if the project does not confirm them', async () => {
    const app = beside
    const { org } = await signIn('uma')
    const verified = { email_verified: true }
    const claimed = { user_metadata: { email_verified: true } }
    const known = await invite('uma', 'vic', 'member')
    await ask('vic', 'GET /api/v1/orgs', { app, claims: claimed })
    expect((await ask('vic', 'GET /api/v1/invitations/mine', { app, claims: claimed })).body).toEqual(NONE)
    const line = `POST /api/v1/invitations/${known}/accept`
    expectRefusal(await ask('vic', line, { app, claims: claimed }), 404, 'not_found')
    expect((await ask('vic', line, { app, claims: verified })).status).toBe(200)
    await invite('uma', 'wes', 'member')
    expect((await ask('wes', 'GET /api/v1/me', { app, claims: claimed })).get('org.id')).not.toBe(org)
    await invite('uma', 'xan', 'member')
    expect((await ask('xan', 'GET /api/v1/me', { app, claims: verified })).get('org.id')).toBe(org)
    const noAddress = { email: undefined }
    expect((await ask('yul', 'GET /api/v1/invitations/mine', { claims: noAddress })).body).toEqual(NONE)
  })

  it('is taken once, of however many who accept at once, by two processes', async () => {
    const { org } = await signIn('lin')
    for (const [who, isKnown] of [
      ['nan', true],
      ['obi', false],
    ] as const) {
      if (isKnown) await signIn(who)
      const id = await invite('lin', who, 'admin')
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => accept(who, id, byEither(index))))
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.filter((status) => status === 404)).toHaveLength(49)
      const held = `SELECT (SELECT count(*) FROM users WHERE email = '${addressOf(who)}') AS users, (SELECT count(*)
        FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = '${addressOf(who)}') AS memberships`
      const { users, memberships } = await system.look(held)
      expect([Number(users), Number(memberships)]).toEqual([1, isKnown ? 2 : 1])
      const role = (await ask(who, 'GET /api/v1/me', { lines: [['X-Org-Id', org]] })).get('member.role')
      expect(role).toBe('admin')
    }
  })

  it('is one membership, and no organization beside it, where the first requests are an accept and another one at once', async () => {
    const { org } = await signIn('pam')
    const here = { orgs: [{ id: org, name: 'pam@example.test', role: 'member' }] }
    for (const who of ['first1', 'first2', 'first3', 'first4']) {
      const id = await invite('pam', who, 'member')
      const [accepted, asked] = await Promise.all([accept(who, id), ask(who, 'GET /api/v1/me', byEither(1))])
      expect([200, 404]).toContain(accepted.status)
      expect(asked.status).toBe(200)
      expect(await orgsOf(who)).toEqual(here)
    }
  })

  it('keeps one owner when two of them demote or remove each other, or leave, at once', async () => {
    const { org, user } = await signIn('ann')
    const members = `/api/v1/orgs/${org}/members`
    const other = await join('ann', org, 'ben', 'owner')
    for (let round = 0; round < 6; round++) {
      const step = { json: { role: 'member' } }
      const [one, two] = await Promise.all([
        round < 4 ? ask('ann', `PATCH ${members}/${other}`, step) : ask('ann', `DELETE ${members}/${user}`),
        round < 2
          ? ask('ben', `PATCH ${members}/${user}`, { ...step, ...byEither(1) })
          : ask('ben', `DELETE ${members}/${round < 4 ? user : other}`, byEither(1)),
      ])
      expect([one.status, two.status].filter((status) => status < 300)).toHaveLength(1)
      expect([one.status, two.status].filter((status) => [403, 404, 409].includes(status))).toHaveLength(1)
      const owners = `SELECT count(*) AS n FROM memberships WHERE org_id = '${org}' AND role = 'owner'`
      expect(Number((await system.look(owners))['n'])).toBe(1)
      // Whoever is left makes the other one an owner again.
      await system.change(`DELETE FROM memberships WHERE org_id = '${org}' AND role <> 'owner'`)
      const left = one.status < 300 === round < 4 ? ['ann', other] : ['ben', user]
      const again = { json: { user_id: left[1], role: 'owner' } }
      expect((await ask(left[0] ?? '', `POST ${members}`, again)).status).toBe(201)
    }
  })

  it('finds nothing by an id that nobody can have, and takes no field that is none', async () => {
    const { org, user } = await signIn('hal')
    for (const id of HOSTILE_IDS) {
      for (const line of [
        `PATCH /api/v1/orgs/${org}/members/${id}`,
        `DELETE /api/v1/orgs/${org}/members/${id}`,
        `DELETE /api/v1/invitations/${id}`,
        `POST /api/v1/invitations/${id}/accept`,
      ]) {
        const answer = await ask('hal', line, { json: { role: 'member' } })
        expect([line, answer.status, answer.get('error.code')]).toEqual([line, 404, 'not_found'])
      }
    }
    const add = `POST /api/v1/orgs/${org}/members`
    for (const id of ['\u0000', '\ud800', 'x'.repeat(3000), `${user} `]) {
      expectRefusal(await ask('hal', add, { json: { user_id: id, role: 'member' } }), 404, 'not_found')
    }
    for (const id of [null, '', ' ', [user], { id: user }, true]) {
      const answer = await ask('hal', add, { json: { user_id: id, role: 'member' } })
      expectRefusal(answer, 400, 'validation_error', 'user_id')
    }
    for (const role of HOSTILE_ROLES) {
      for (const line of [add, `PATCH /api/v1/orgs/${org}/members/${user}`, 'POST /api/v1/invitations']) {
        const answer = await ask('hal', line, { json: { user_id: user, email: 'a@b.test', role } })
        expectRefusal(answer, 400, 'validation_error', 'role')
      }
    }
    for (const email of HOSTILE_ADDRESSES) {
      const answer = await ask('hal', 'POST /api/v1/invitations', { json: { email, role: 'member' } })
      expectRefusal(answer, 400, 'validation_error', 'email')
    }
  })

  it('says the same, to the byte, of what is another organization’s and of what never was', async () => {
    const [{ org, user }] = [await signIn('rex'), await signIn('sue')]
    const theirs = await signIn('sue')
    const id = await invite('sue', 'tom', 'member')
    const role = { json: { role: 'member' } }
    const pairs = [
      ['GET', '/api/v1/orgs/{}/members', theirs.org, {}],
      ['POST', '/api/v1/orgs/{}/members', theirs.org, { json: { user_id: user, role: 'member' } }],
      ['PATCH', `/api/v1/orgs/{}/members/${theirs.user}`, theirs.org, role],
      ['DELETE', `/api/v1/orgs/{}/members/${user}`, theirs.org, {}],
      ['PATCH', `/api/v1/orgs/${org}/members/{}`, theirs.user, role],
      ['DELETE', `/api/v1/orgs/${org}/members/{}`, theirs.user, {}],
      ['DELETE', '/api/v1/invitations/{}', id, {}],
      ['POST', '/api/v1/invitations/{}/accept', id, {}],
    ] as const
    for (const [method, path, real, asked] of pairs) {
      const seen = await Promise.all(
        [real, NOBODY].map(async (each) => seenFrom(await ask('rex', `${method} ${path.replace('{}', each)}`, asked))),
      )
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]).toMatchObject({ status: path.includes('orgs/{}') ? 403 : 404 })
    }
  })

  describe('the order of checks', () => {
    const malformed = [
      ['Content-Type', 'text/plain'],
      ['X-Org-Id', 'nonsense'],
    ] as const
    const lines = [
      ['POST /api/v1/orgs/nonsense/members', 'org', 'reads'],
      ['GET /api/v1/orgs/nonsense/members', 'org', ''],
      ['PATCH /api/v1/orgs/nonsense/members/x', 'org', 'reads'],
      ['DELETE /api/v1/orgs/nonsense/members/x', 'org', ''],
      ['POST /api/v1/invitations', 'org', 'reads'],
      ['GET /api/v1/invitations', 'org', ''],
      ['DELETE /api/v1/invitations/x', 'org', ''],
      ['GET /api/v1/invitations/mine', 'user', ''],
      ['POST /api/v1/invitations/x/accept', 'user', ''],
    ] as const

    it.each(lines)('%s', async (line, needs, body) => {
      const { org } = await signIn('zed')
      const expired = { exp: Math.floor(Date.now() / 1000) - 60 }
      const wrong = { iss: 'https://evil.example/auth/v1' }
      expectRefusal(await ask('zed', line, { claims: expired, lines: malformed }), 401, 'token_expired')
      expectRefusal(await ask('zed', line, { claims: wrong, lines: malformed }), 401, 'unauthorized')
      const guest = { is_anonymous: true }
      expectRefusal(await ask('zed', line, { claims: guest, lines: malformed }), 403, 'forbidden')
      const twice = [['Authorization', 'Bearer x'] as const, ...malformed]
      expectRefusal(await ask('zed', line, { lines: twice }), 400, 'bad_request')
      const answer = await ask('zed', line, { lines: malformed })
      if (needs === 'user') {
        expect(answer.status).toBe(line.endsWith('mine') ? 200 : 404)
        return
      }
      expectRefusal(answer, 400, 'invalid_org_id')
      await join('zed', org, 'zip', 'member').catch(() => {})
      const there = line.replace('nonsense', org)
      const mayNot = await ask('zip', there, { lines: [['X-Org-Id', org]], json: 7 })
      expectRefusal(mayNot, 403, 'forbidden')
      if (body === 'reads') {
        const may = await ask('zed', there, { lines: [['Content-Type', 'text/plain']] })
        expectRefusal(may, 415, 'unsupported_media_type')
      }
    })
  })
})
