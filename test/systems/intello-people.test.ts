/** Intello's invitations, on both databases: what the tour has no words for. */
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
    system = await openSystem('intello', store)
    beside = await system.startBeside({ SUPABASE_CONFIRMS_EMAILS: 'false' })
  })
  afterAll(async () => {
    await beside.stop()
    await system.close()
  })

  const ask: SystemWithPeople['ask'] = (...asked) => system.ask(...asked)
  const addressOf = (who: string): string => `${who}@example.test`

  /** Sync somebody: who they are, and of which organization. */
  const sync = async (who: string): Promise<{ readonly user: string; readonly org: string; readonly role: string }> => {
    const answer = await ask(who, 'POST /auth/sync')
    return { user: answer.get('data.user.id'), org: answer.get('data.user.org_id'), role: answer.get('data.user.role') }
  }

  /** Invite somebody: the id. */
  const invite = async (as: string, who: string, role: string): Promise<string> => {
    const answer = await ask(as, 'POST /api/invitations', { json: { email: addressOf(who), role } })
    expect(answer.status).toBe(201)
    return answer.get('data.id')
  }

  const accept = (who: string, id: string, asked: Asked = {}): Promise<Answer> =>
    ask(who, `POST /api/invitations/${id}/accept`, asked)
  /** The same of either process. */
  const byEither = (index: number): Asked => ({
    claims: { email_verified: true },
    app: index % 2 === 0 ? undefined : beside,
  })
  const mine = async (who: string): Promise<unknown> => (await ask(who, 'GET /api/invitations/mine')).body
  const NONE = { data: [] }

  it('writes these bytes and these headers, no others', async () => {
    const { org } = await sync('ada')
    const asked = Date.now()
    const made = await ask('ada', 'POST /api/invitations', { json: { email: ' Eve@example.test ', role: 'viewer' } })
    const [id, expires] = [made.get('data.id'), made.get('data.expires_at')]
    const fields = `"id":"${id}","email":"eve@example.test","role":"viewer","expires_at":"${expires}"`
    const answer = (status: number, text: string) => ({
      status,
      headers: {
        ...{ connection: 'keep-alive', 'keep-alive': 'timeout=5', vary: 'Authorization', 'cache-control': 'no-store' },
        ...{ 'content-type': 'application/json; charset=utf-8', 'content-length': String(text.length) },
      },
      text,
    })
    expect(seenFrom(made)).toEqual(answer(201, `{"data":{${fields}}}`))
    expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(Date.parse(expires)).toBeGreaterThanOrEqual(asked + WEEK_MS)
    expect(Date.parse(expires)).toBeLessThanOrEqual(Date.now() + WEEK_MS)
    expect(seenFrom(await ask('ada', 'GET /api/invitations'))).toEqual(answer(200, `{"data":[{${fields}}]}`))
    // Two, so that the sync takes neither.
    await sync('bea')
    const second = await invite('bea', 'eve', 'admin')
    await sync('eve')
    const there = `"org":{"id":"${org}","name":"ada@example.test"}`
    const listed = await ask('eve', 'GET /api/invitations/mine')
    expect(listed.text).toMatch(`{"data":[{${fields},${there}},{"id":"${second}",`)
    expect(seenFrom(listed)).toEqual(answer(200, listed.text))
    expect(seenFrom(await accept('eve', id))).toEqual(answer(200, `{"data":{${there},"role":"viewer"}}`))
    const gone = await ask('bea', `DELETE /api/invitations/${second}`)
    expect({ status: gone.status, text: gone.text, type: gone.headers['content-type'] }).toEqual({
      ...{ status: 204, text: '', type: undefined },
    })
  })

  describe('an invitation is nobody’s any more', () => {
    it.each([
      ['that has expired', (id: string) => `UPDATE invitations SET expires_at = created_at WHERE id = '${id}'`],
      ['of a disabled user', (_: string, by: string) => `UPDATE users SET disabled = true WHERE id = '${by}'`],
      [
        'of somebody who is elsewhere',
        (_: string, by: string) => `UPDATE users SET org_id = NULL, role = NULL, joined_at = NULL WHERE id = '${by}'`,
      ],
      [
        'of somebody who may not invite any more',
        (_: string, by: string) => `UPDATE users SET role = 'member' WHERE id = '${by}'`,
      ],
      ['whose role there is none any more', (id: string) => `UPDATE invitations SET role = 'king' WHERE id = '${id}'`],
    ])('%s', async (name, change) => {
      const key = name.replaceAll(/\W/g, '')
      const [first, inviter, known, fresh] = ['first', 'by', 'known', 'new'].map((part) => `${part}-${key}`) as [
        ...[string, string, string, string],
      ]
      await sync(first)
      await invite(first, inviter, 'admin')
      const by = (await sync(inviter)).user
      await sync(known)
      const ids = [await invite(inviter, known, 'viewer'), await invite(inviter, fresh, 'viewer')]
      for (const id of ids) await system.change(change(id, by))
      expect((await sync(fresh)).role).toBe('admin')
      for (const [index, who] of [known, fresh].entries()) {
        expectRefusal(await accept(who, ids[index] ?? ''), 404, 'not_found')
        expect(await mine(who)).toEqual(NONE)
      }
    })

    it('and where it has expired, not listed either, and its address can be invited anew', async () => {
      const { org } = await sync('hedy')
      const id = await invite('hedy', 'late', 'viewer')
      await system.change(`UPDATE invitations SET expires_at = created_at WHERE id = '${id}'`)
      expect((await ask('hedy', 'GET /api/invitations')).body).toEqual(NONE)
      expect(await invite('hedy', 'late', 'member')).not.toBe(id)
      expect(await sync('late')).toMatchObject({ org, role: 'member' })
    })
  })

  it('lets a disabled user do nothing', async () => {
    await sync('olga')
    const { user } = await sync('off')
    const id = await invite('olga', 'off', 'viewer')
    await system.change(`UPDATE users SET disabled = true WHERE id = '${user}'`)
    for (const line of ['POST /auth/sync', 'GET /api/me', 'GET /api/invitations/mine']) {
      expectRefusal(await ask('off', line), 403, 'forbidden')
    }
    expectRefusal(await accept('off', id), 403, 'forbidden')
  })

  it('counts an address as verified only where a top-level email_verified says so, if the project does not confirm them', async () => {
    const app = beside
    const { org } = await sync('uma')
    const verified = { email_verified: true }
    const claimed = { user_metadata: { email_verified: true } }
    const orgOf = async (who: string, claims: object): Promise<string> =>
      (await ask(who, 'POST /auth/sync', { app, claims: { ...claims } })).get('data.user.org_id')
    await invite('uma', 'wes', 'member')
    expect(await orgOf('wes', claimed)).not.toBe(org)
    await invite('uma', 'xan', 'member')
    expect(await orgOf('xan', verified)).toBe(org)
    const known = await invite('uma', 'vic', 'member')
    await orgOf('vic', claimed)
    expect((await ask('vic', 'GET /api/invitations/mine', { app, claims: claimed })).body).toEqual(NONE)
    const line = `POST /api/invitations/${known}/accept`
    expectRefusal(await ask('vic', line, { app, claims: claimed }), 404, 'not_found')
    expect((await ask('vic', line, { app, claims: verified })).status).toBe(200)
  })

  it('asks for the sync first, whoever accepts: then it has been taken', async () => {
    const { org } = await sync('ola')
    const id = await invite('ola', 'per', 'member')
    expectRefusal(await accept('per', id), 428, 'user_not_synced')
    expectRefusal(await accept('per', NOBODY), 428, 'user_not_synced')
    expect(await sync('per')).toMatchObject({ org, role: 'member' })
    expectRefusal(await accept('per', id), 404, 'not_found')
  })

  it('is taken once, of however many who accept at once, by two processes, and by a sync beside them', async () => {
    const { org } = await sync('lin')
    await sync('nan')
    const id = await invite('lin', 'nan', 'admin')
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => accept('nan', id, byEither(index))))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 404)).toHaveLength(49)
    expect(await sync('nan')).toMatchObject({ org, role: 'admin' })

    for (const who of ['first1', 'first2', 'first3']) {
      const each = await invite('lin', who, 'member')
      const [accepted, synced] = await Promise.all([accept(who, each, byEither(1)), sync(who)])
      expect([404, 428]).toContain(accepted.status)
      expect(synced).toMatchObject({ org, role: 'member' })
    }
    const { n } = await system.look(`SELECT count(*) AS n FROM users WHERE email LIKE 'first%'`)
    expect(Number(n)).toBeGreaterThanOrEqual(3)
  })

  it('moves nobody to where they are, and nobody who is not alone or leaves something behind', async () => {
    const { org } = await sync('rae')
    const alone = await sync('sol')
    const id = await invite('rae', 'sol', 'member')
    const made = await ask('sol', 'POST /api/dependencies', { json: { name: 'kept' } })
    expectRefusal(await accept('sol', id), 409, 'conflict')
    await invite('sol', 'tia', 'viewer')
    expect((await sync('tia')).org).toBe(alone.org)
    expect((await ask('sol', `DELETE /api/dependencies/${made.get('data.id')}`)).status).toBe(204)
    expectRefusal(await accept('sol', id), 409, 'conflict')
    expect((await sync('sol')).org).toBe(alone.org)
    const { key } = ((await ask('sol', 'POST /api/keys', { json: { name: 'x' } })).body as Keyed).data
    const byKey = { lines: [['Authorization', `Bearer ${key}`] as const] }
    expect((await ask(null, 'GET /api/dependencies', byKey)).status).toBe(200)
    // Tia has gone: somebody took her row's organization away.
    await system.change(
      `UPDATE users SET org_id = NULL, role = NULL, joined_at = NULL WHERE email = '${addressOf('tia')}'`,
    )
    expectRefusal(await ask('tia', 'GET /api/me'), 403, 'forbidden')
    expect((await accept('sol', id)).status).toBe(200)
    expect(await sync('sol')).toMatchObject({ org, role: 'member' })
    expectRefusal(await ask(null, 'GET /api/dependencies', byKey), 401, 'unauthorized')
    const back = await invite('rae', 'tia', 'viewer')
    expect((await accept('tia', back)).status).toBe(200)
    expect(await sync('tia')).toMatchObject({ org, role: 'viewer' })
  })

  it('lets one of two go who have invited each other and accept at once', async () => {
    for (const round of [1, 2, 3, 4]) {
      const [one, two] = [`one${round}`, `two${round}`] as const
      await sync(one)
      await sync(two)
      const ids = [await invite(two, one, 'admin'), await invite(one, two, 'admin')] as const
      const answers = await Promise.all([accept(one, ids[0]), accept(two, ids[1], byEither(1))])
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.filter((status) => status === 404 || status === 409)).toHaveLength(1)
      expect((await sync(one)).org).toBe((await sync(two)).org)
    }
  })

  it('finds nothing by an id that nobody can have, and takes no field that is none', async () => {
    await sync('hil')
    for (const id of HOSTILE_IDS) {
      for (const line of [`DELETE /api/invitations/${id}`, `POST /api/invitations/${id}/accept`]) {
        const answer = await ask('hil', line)
        expect([line, answer.status, answer.get('error.code')]).toEqual([line, 404, 'not_found'])
      }
    }
    for (const role of HOSTILE_ROLES) {
      const answer = await ask('hil', 'POST /api/invitations', { json: { email: 'a@b.test', role } })
      expectRefusal(answer, 400, 'validation_error', 'role')
    }
    for (const email of HOSTILE_ADDRESSES) {
      const answer = await ask('hil', 'POST /api/invitations', { json: { email, role: 'viewer' } })
      expectRefusal(answer, 400, 'validation_error', 'email')
    }
  })

  it('is invited once, of however many who invite an address at once', async () => {
    await sync('ina')
    const json = { email: addressOf('joint'), role: 'viewer' }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask('ina', 'POST /api/invitations', { json, ...byEither(index) })),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 409)).toHaveLength(19)
  })

  it('says the same, to the byte, of what is another organization’s and of what never was', async () => {
    await sync('rex')
    await sync('sue')
    const id = await invite('sue', 'tom', 'member')
    for (const line of ['DELETE /api/invitations/{}', 'POST /api/invitations/{}/accept']) {
      const seen = await Promise.all(
        [id, NOBODY].map(async (each) => seenFrom(await ask('rex', line.replace('{}', each)))),
      )
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]).toMatchObject({ status: 404 })
    }
  })

  describe('the order of checks', () => {
    const text = [['Content-Type', 'text/plain']] as const
    it.each([
      ['POST /api/invitations', 'admin', 415],
      ['GET /api/invitations', 'admin', 200],
      ['DELETE /api/invitations/x', 'admin', 404],
      ['GET /api/invitations/mine', 'user', 200],
      ['POST /api/invitations/x/accept', 'user', 404],
    ] as const)('%s', async (line, needs, last) => {
      await sync('zed')
      const expired = { exp: Math.floor(Date.now() / 1000) - 60 }
      expectRefusal(await ask('zed', line, { claims: expired, lines: text }), 401, 'token_expired')
      const wrong = { iss: 'https://evil.example/auth/v1' }
      expectRefusal(await ask('zed', line, { claims: wrong, lines: text }), 401, 'unauthorized')
      expectRefusal(await ask('zed', line, { claims: { is_anonymous: true }, lines: text }), 403, 'forbidden')
      expectRefusal(await ask('never', line, { lines: text }), 428, 'user_not_synced')
      const { key } = ((await ask('zed', 'POST /api/keys', { json: { name: 'x', role: 'admin' } })).body as Keyed).data
      expectRefusal(await ask(null, line, { lines: [['Authorization', `Bearer ${key}`], ...text] }), 403, 'forbidden')
      await ask('zed', 'POST /api/invitations', { json: { email: addressOf('zip'), role: 'member' } })
      await sync('zip')
      if (needs === 'admin') expectRefusal(await ask('zip', line, { lines: text }), 403, 'forbidden')
      expect((await ask('zed', line, { lines: text })).status).toBe(last)
    })
  })
})

interface Keyed {
  readonly data: { readonly key: string }
}
