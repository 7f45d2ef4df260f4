/** A `present` that asks somebody first was answered as `{}`, and where it rejected nobody listened, which ends a process. */
import {
  type Auth,
  createAuth,
  createOrgResolver,
  createProvisioner,
  createSyncRoute,
  header,
  type Route,
} from 'sallyport'
import { createApiKeys } from 'sallyport/api-keys'
import {
  createInvitationRoutes,
  createInvitations,
  createMemberRoutes,
  createMembers,
  createOrganizationRoutes,
  createOrganizations,
} from 'sallyport/people'
import { createTestKit } from 'sallyport/testing'
import { describe, expect, it } from 'vitest'
import { HOSTS, listen } from '../support/hosts.ts'

const ROLES = ['member', 'admin'] as const

const { issuers, storage, signIn } = await createTestKit()
const caller = await signIn({ org: 'acme', role: 'admin' })
const provision = createProvisioner({ storage, ownerRole: 'admin' })
const orgs = createOrgResolver({
  memberships: storage.memberships,
  selectors: [header('X-Org-Id')],
  whenUnnamed: 'reject',
})
const auth = createAuth({ issuers, roles: ROLES, users: provision, orgs }) as unknown as Auth
const common = { storage, roles: ROLES, manage: { role: 'admin' } } as const

type Present = () => unknown

const ROUTES: Readonly<Record<string, readonly [path: string, make: (present: Present) => readonly Route[]]>> = {
  createSyncRoute: [
    '/auth/sync',
    (present) => [createSyncRoute({ provision, memberships: storage.memberships, present })],
  ],
  'routes of API keys': [
    '/api/keys',
    (present) =>
      createApiKeys({ storage: { apiKeys: storage.apiKeys }, prefix: 'itk', roles: ROLES }).routes({
        role: 'admin',
        present: { issued: present, listed: present },
      }),
  ],
  createMemberRoutes: [
    '/api/members',
    (listed) => createMemberRoutes(createMembers({ ...common, list: { role: 'member' } }), { present: { listed } }),
  ],
  createOrganizationRoutes: [
    '/api/organizations',
    (listed) => createOrganizationRoutes(createOrganizations(common), { present: { listed } }),
  ],
  createInvitationRoutes: [
    '/api/invitations',
    (listed) => createInvitationRoutes(createInvitations(common), { present: { listed } }),
  ],
}

describe.each(Object.keys(ROUTES))('%s', (name) => {
  const ask = async (present: Present) => {
    const [path, make] = ROUTES[name] as (typeof ROUTES)[string]
    const server = await listen(HOSTS['koa 3']({ auth, routes: make(present) }))
    try {
      const method = path === '/auth/sync' ? 'POST' : 'GET'
      const response = await fetch(`${server.url}${path}`, { method, headers: caller.headers })
      return { status: response.status, body: await response.text() }
    } finally {
      await server.close()
    }
  }

  it('waits for a body that comes later', async () => {
    expect(await ask(async () => ({ later: true }))).toEqual({ status: 200, body: '{"later":true}' })
  })

  it('answers 500 where none comes', async () => {
    expect((await ask(() => Promise.reject(new Error('away')))).status).toBe(500)
  })
})
