/** The bodies of all routes of people: of one member, whose name is the host's to give. */
import { expect, it } from 'vitest'
import type { AuthContext } from '../../src/context.ts'
import { createInvitationRoutes } from '../../src/people/invitation-routes.ts'
import { createMemberRoutes } from '../../src/people/member-routes.ts'
import { createMembers } from '../../src/people/members.ts'
import { createOrganizationRoutes } from '../../src/people/organization-routes.ts'
import { createOrganizations } from '../../src/people/organizations.ts'
import type { Route } from '../../src/route.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { ROLES } from '../pipeline/world.ts'
import { createInvitationWorld } from './invitation-world.ts'

/** Ask every route that answers with a body, one after another: what its one member is called. */
async function namesOf(options: { readonly envelope?: string | undefined; readonly present?: undefined }) {
  const { storage, invitations, orgId, ...world } = await createInvitationWorld()
  const settings = { storage, roles: ROLES, manage: { role: 'admin' } } as const
  const routes = [
    ...createMemberRoutes(createMembers(settings), options),
    ...createInvitationRoutes(invitations, options),
    ...createOrganizationRoutes(createOrganizations(settings), options),
  ]
  const [ada, bob, cyd] = [await world.person('ada', 'owner'), await world.person('bob'), await world.person('cyd')]
  const acting = world.acting(ada, 'owner')
  const names: [string, string[]][] = []
  const ask = async (line: string, context: AuthContext, body?: unknown, params = {}): Promise<void> => {
    const { handle } = routes.find(({ method, path }) => line === `${method} ${path}`) as Route
    const bytes = new TextEncoder().encode(JSON.stringify(body))
    const headers = { 'content-type': 'application/json' }
    const answer = await handle(context, fakeRequest({ headers, params, body: { kind: 'bytes', bytes } }))
    names.push([line, Object.keys(JSON.parse(answer.body ?? '{}'))])
  }
  await ask('POST /api/members', acting, { user_id: bob.id, role: 'viewer' })
  await ask('PATCH /api/members/:userId', acting, { role: 'member' }, { userId: bob.id })
  await ask('GET /api/members', acting)
  await ask('POST /api/invitations', acting, { email: 'cyd@example.test', role: 'member' })
  await ask('GET /api/invitations', acting)
  await ask('GET /api/invitations/mine', world.user(cyd))
  const [{ id } = { id: '' }] = await invitations.list(acting)
  await ask('POST /api/invitations/:id/accept', world.user(cyd), undefined, { id })
  await ask('POST /api/organizations', world.user(cyd), { name: 'Cyd & Co' })
  await ask('GET /api/organizations', world.user(cyd))
  await ask('PATCH /api/organizations/:id', acting, { name: 'Acme & Co' }, { id: orgId })
  return names
}

it.each([undefined, 'data', '__proto__'])(
  'every body has one member: called as the host says, %s',
  async (envelope) => {
    const wanted = [
      ['POST /api/members', 'member'],
      ['PATCH /api/members/:userId', 'member'],
      ['GET /api/members', 'members'],
      ['POST /api/invitations', 'invitation'],
      ['GET /api/invitations', 'invitations'],
      ['GET /api/invitations/mine', 'invitations'],
      ['POST /api/invitations/:id/accept', 'membership'],
      ['POST /api/organizations', 'organization'],
      ['GET /api/organizations', 'organizations'],
      ['PATCH /api/organizations/:id', 'organization'],
    ].map(([line, name]) => [line, [envelope ?? name]])
    expect(await namesOf({ envelope, present: undefined })).toEqual(wanted)
  },
)
