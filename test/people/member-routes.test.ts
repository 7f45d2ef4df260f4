/** The routes of members and organizations on the three frameworks: one answer, to the byte, and nobody else's people (M4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInvitationRoutes } from '../../src/people/invitation-routes.ts'
import { createMemberRoutes } from '../../src/people/member-routes.ts'
import { createMembers } from '../../src/people/members.ts'
import { createOrganizationRoutes } from '../../src/people/organization-routes.ts'
import { createOrganizations } from '../../src/people/organizations.ts'
import { createInvitationWorld } from './invitation-world.ts'
import { FRAMEWORKS, openPeopleHost, openPeopleHosts, type PeopleAnswer, type PeopleHost } from './people-hosts.ts'
import { newMemory, ROLES } from './world.ts'

let hosts: readonly PeopleHost[]
beforeAll(async () => {
  hosts = await openPeopleHosts({
    orgs: ['Acme', 'Other', 'Third'],
    people: {
      olga: { Acme: 'owner' },
      ada: { Acme: 'admin' },
      vera: { Acme: 'viewer' },
      max: { Acme: 'member' },
      bob: { Other: 'owner' },
      nina: {},
      nils: {},
      zoe: { Other: 'viewer', Third: 'viewer' },
    },
  })
})
afterAll(() => Promise.all(hosts.map((host) => host.close())))

// Sent to every framework: what the first answers, the others answer.
async function send(method: string, path: string, as: string, body?: unknown): Promise<PeopleAnswer> {
  const answers = await Promise.all(hosts.map((host) => host.send(method, path, as, body)))
  for (const answer of answers) expect(answer).toEqual(answers[0])
  return answers[0] as PeopleAnswer
}

const refused = (code: string, field?: string): unknown =>
  expect.objectContaining({ error: expect.objectContaining({ code, ...(field !== undefined && { field }) }) })

describe(`on ${FRAMEWORKS.join(', ')}`, () => {
  it('one after another: what is answered, and what may be kept', async () => {
    const steps: readonly (readonly [
      method: string,
      path: string,
      as: string,
      body: unknown,
      status: number,
      text: string,
    ])[] = [
      [
        'GET',
        '/api/members',
        'vera',
        undefined,
        200,
        `{"members":[${['olga owner', 'ada admin', 'vera viewer', 'max member'].map((each) => {
          const [name, role] = each.split(' ')
          return `{"user_id":"${name}","email":"${name}@example.test","role":"${role}","joined_at":"(instant)"}`
        })}]}`,
      ],
      [
        'POST',
        '/api/members',
        'ada',
        { user_id: ':nina', role: 'member' },
        201,
        '{"member":{"user_id":"nina","role":"member"}}',
      ],
      ['PATCH', '/api/members/:nina', 'ada', { role: 'viewer' }, 200, '{"member":{"user_id":"nina","role":"viewer"}}'],
      ['PATCH', '/api/members/:nina', 'ada', { role: 'viewer' }, 200, '{"member":{"user_id":"nina","role":"viewer"}}'],
      ['DELETE', '/api/members/:nina', 'ada', undefined, 204, ''],
      ['DELETE', '/api/members/:max', 'max', undefined, 204, ''],
      [
        'POST',
        '/orgs/:Acme/members',
        'olga',
        { user_id: ':max', role: 'member' },
        201,
        '{"member":{"user_id":"max","role":"member"}}',
      ],
      [
        'GET',
        '/api/organizations',
        'zoe',
        undefined,
        200,
        '{"organizations":[{"id":"Other","name":"Other","role":"viewer"},{"id":"Third","name":"Third","role":"viewer"}]}',
      ],
      [
        'PATCH',
        '/api/organizations/:Other',
        'bob',
        { name: 'Renamed' },
        200,
        '{"organization":{"id":"Other","name":"Renamed","role":"owner"}}',
      ],
    ]
    for (const [method, path, as, body, status, text] of steps) {
      const answer = await send(method, path, as, body)
      expect([answer.status, answer.text, answer.cache]).toEqual([status, text, 'no-store'])
      expect(answer.type).toBe(text === '' ? undefined : 'application/json; charset=utf-8')
    }
    for (const { events } of hosts) {
      expect(events.splice(0).map(({ kind }) => kind)).toEqual([
        ...['member_added', 'member_role_changed', 'member_removed', 'member_left', 'member_added'],
      ])
    }
  })

  it('POST of organizations answers 201, and who made it is its owner', async () => {
    for (const host of hosts) {
      const { status, text } = await host.send('POST', '/api/organizations', 'nils', { name: 'Own', id: 'ignored' })
      const { organization } = JSON.parse(text) as { organization: { id: string } }
      expect([status, organization]).toEqual([201, { id: organization.id, name: 'Own', role: 'owner' }])
      const { text: listed } = await host.send('GET', `/orgs/${organization.id}/members`, 'nils')
      expect(JSON.parse(listed)).toMatchObject({ members: [{ user_id: 'nils', role: 'owner' }] })
    }
  })

  it.each<[status: number, code: string, method: string, path: string, as: string, body?: unknown, field?: string]>([
    [401, 'unauthorized', 'GET', '/api/members', 'nobody'],
    [403, 'forbidden', 'POST', '/api/members', 'vera', { user_id: 7 }],
    [403, 'forbidden', 'PATCH', '/api/members/:olga', 'vera', []],
    [403, 'forbidden', 'DELETE', '/api/members/:olga', 'vera'],
    [403, 'forbidden', 'POST', '/api/members', 'ada', { user_id: ':nina', role: 'owner' }],
    [403, 'forbidden', 'PATCH', '/api/members/:olga', 'ada', { role: 'owner' }],
    [403, 'forbidden', 'DELETE', '/api/members/:olga', 'ada'],
    [403, 'forbidden', 'PATCH', '/api/organizations/:Acme', 'vera', { name: 'x' }],
    [400, 'validation_error', 'POST', '/api/members', 'ada', {}, 'user_id'],
    [400, 'validation_error', 'POST', '/api/members', 'ada', { user_id: ':nina', role: 'boss' }, 'role'],
    [400, 'validation_error', 'POST', '/api/members', 'ada', { user_id: ':nina' }, 'role'],
    [400, 'validation_error', 'POST', '/api/members', 'ada', [], 'body'],
    [400, 'validation_error', 'PATCH', '/api/members/:vera', 'ada', { role: ['admin'] }, 'role'],
    [400, 'validation_error', 'POST', '/api/organizations', 'zoe', { name: '' }, 'name'],
    [400, 'validation_error', 'PATCH', '/api/organizations/:Acme', 'ada', {}, 'name'],
    [404, 'not_found', 'POST', '/api/members', 'ada', { user_id: 'nobody', role: 'viewer' }],
    [404, 'not_found', 'PATCH', '/api/members/:bob', 'ada', { role: 'viewer' }],
    [404, 'not_found', 'DELETE', '/api/members/:bob', 'ada'],
    [409, 'conflict', 'POST', '/api/members', 'ada', { user_id: ':vera', role: 'viewer' }],
    [409, 'conflict', 'DELETE', '/api/members/:olga', 'olga'],
    [409, 'conflict', 'PATCH', '/api/members/:olga', 'olga', { role: 'admin' }],
  ])('%i %s to %s %s by %s', async (status, code, method, path, as, body, field) => {
    const answer = await send(method, path, as, body)
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, refused(code, field)])
    for (const { events } of hosts) expect(events).toEqual([])
  })
})

describe('a stranger', () => {
  const NEVER = 'ffffffff-0000-4000-8000-00000000000f'

  // What it is answered, and what that costs, whichever id it is.
  async function answersTo(
    ids: readonly string[],
    method: string,
    toPath: (id: string) => string,
    as: string,
    body?: unknown,
  ) {
    const seen = new Set<string>()
    for (const id of ids) {
      for (const host of hosts) {
        host.calls.length = 0
        const answer = await host.send(method, toPath(id), as, body)
        seen.add(JSON.stringify([answer, host.calls]))
      }
    }
    return [...seen].map((each) => JSON.parse(each) as [PeopleAnswer, string[]])
  }

  it.each([
    ['PATCH', { role: 'viewer' }],
    ['DELETE', undefined],
  ])('of other people’s members is answered alike, at the same cost: %s', async (method, body) => {
    for (const path of ['/api/members', '/orgs/:Acme/members']) {
      const ids = [':bob', ':zoe', ':nils', NEVER, 'nobody', 'x'.repeat(300)]
      const answers = await answersTo(ids, method, (id) => `${path}/${id}`, 'ada', body)
      expect(answers).toHaveLength(1)
      expect(answers[0]?.[0].status).toBe(404)
      expect(answers[0]?.[1]).toContain('memberships.find')
    }
  })

  it.each<[method: string, path: (org: string) => string, body?: unknown]>([
    ['GET', (org) => `/orgs/${org}/members`],
    ['POST', (org) => `/orgs/${org}/members`, { user_id: ':nina', role: 'viewer' }],
    ['PATCH', (org) => `/orgs/${org}/members/:bob`, { role: 'viewer' }],
    ['DELETE', (org) => `/orgs/${org}/members/:bob`],
    ['DELETE', (org) => `/orgs/${org}/members/:ada`],
    ['PATCH', (org) => `/api/organizations/${org}`, { name: 'Taken' }],
  ])('of other people’s organizations is answered alike, at the same cost: %s %s', async (method, toPath, body) => {
    const answers = await answersTo([':Other', ':Third', NEVER], method, toPath, 'ada', body)
    expect(answers).toHaveLength(1)
    expect(answers[0]?.[0].status).toBe(403)
    expect(answers[0]?.[1]).toHaveLength(1)
  })

  it('who is to be added and is disabled is as if they had never been', async () => {
    for (const { world } of hosts) {
      const id = (await world.person('gone')).id
      await world.storage.users.setDisabled(id, true)
      const bodies = [id, NEVER].map((user_id) => ({ user_id, role: 'viewer' }))
      const seen = new Set<string>()
      for (const body of bodies) {
        for (const host of hosts.filter((each) => each.world === world)) {
          host.calls.length = 0
          seen.add(JSON.stringify([await host.send('POST', '/api/members', 'ada', body), host.calls]))
        }
      }
      expect([...seen]).toEqual([expect.stringContaining('not_found')])
    }
  })
})

describe('other bodies and names', () => {
  it('are the host’s, in what is read, refused and answered', async () => {
    const host = await openPeopleHost('hono', {
      orgs: ['Acme'],
      people: { olga: { Acme: 'owner' }, nina: {} },
      routes: {
        path: '/team',
        fields: { userId: 'person', role: 'rank' },
        present: { listed: (members) => members.length, member: ({ role }) => ({ rank: role }) },
      },
    })
    try {
      const answers = [
        await host.send('POST', '/team', 'olga', { person: ':nina', rank: 'viewer' }),
        await host.send('GET', '/team', 'olga'),
        await host.send('PATCH', '/team/:nina', 'olga', { rank: 'boss' }),
        await host.send('POST', '/team', 'olga', { user_id: ':nina', rank: 'viewer' }),
      ]
      expect(answers.map(({ text }) => text)).toEqual([
        '{"rank":"viewer"}',
        '2',
        ...['rank', 'person'].map(
          (field) =>
            `{"error":{"code":"validation_error","message":"The request body is not valid.","field":"${field}"}}`,
        ),
      ])
    } finally {
      await host.close()
    }
  })
})

describe('options', () => {
  const storage = newMemory()
  const members = createMembers({ storage, roles: ROLES, manage: { role: 'admin' } })
  const organizations = createOrganizations({ storage, roles: ROLES, manage: { role: 'admin' } })
  it.each<[options: object, option: string]>([
    [{ path: 'members' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ selectors: [{ kind: 'query', name: 'org' }] }, 'selectors.0.kind'],
    [{ present: [] }, 'present'],
    [{ present: { list: () => null } }, 'present.list'],
    [{ role: 'admin' }, 'role'],
  ])('%j is refused by its name', (options, option) => {
    const error = expect.objectContaining({ option })
    expect(() => createMemberRoutes(members, options as never)).toThrow(error)
    expect(() => createOrganizationRoutes(organizations, options as never)).toThrow(error)
  })
  it('are made for what was made for them', async () => {
    const { invitations } = await createInvitationWorld()
    const makers: readonly (readonly [make: (given: never) => unknown, option: string, others: readonly unknown[]])[] =
      [
        [createMemberRoutes, 'members', [organizations, invitations]],
        [createOrganizationRoutes, 'organizations', [members, invitations]],
        [createInvitationRoutes, 'invitations', [members, organizations]],
      ]
    for (const [make, option, others] of makers) {
      for (const given of [undefined, null, {}, { storage }, ...others]) {
        expect(() => make(given as never)).toThrow(expect.objectContaining({ option }))
      }
    }
  })
  it('a parameter of the path is not called as the one below it', () => {
    const error = expect.objectContaining({ option: 'path' })
    expect(() => createMemberRoutes(members, { path: '/orgs/:userId/members' })).toThrow(error)
    expect(() => createOrganizationRoutes(organizations, { path: '/sites/:id/organizations' })).toThrow(error)
  })
  it('a field has a name', () => {
    expect(() => createMemberRoutes(members, { fields: { role: '' } })).toThrow(
      expect.objectContaining({ option: 'fields.role' }),
    )
  })
})
