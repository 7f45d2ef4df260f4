/** The routes of people, mounted on the three frameworks, each over a storage of its own with the same people in it. */
import { send as sendLines } from '../../examples/demo/send.ts'
import { pathParam } from '../../src/orgs/selector.ts'
import { createMemberRoutes, type MemberRoutesOptions } from '../../src/people/member-routes.ts'
import { createMembers, type MemberEvent } from '../../src/people/members.ts'
import { createOrganizationRoutes } from '../../src/people/organization-routes.ts'
import { createOrganizations } from '../../src/people/organizations.ts'
import type { MemoryStorage } from '../../src/storage/memory.ts'
import { countedStorage } from '../pipeline/counted.ts'
import { createWorld, ROLES, type World } from '../pipeline/world.ts'
import { HOSTS, type HostName, type Listening, listen } from '../support/hosts.ts'

export const FRAMEWORKS: readonly HostName[] = ['express 5', 'koa 3', 'hono']

/** Where the members are, beside `/api/members`. */
export const MEMBERS_IN_PATH = '/orgs/:orgId/members'

/** An answer, in which every id is the name it was made under. */
export interface PeopleAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly cache: string | undefined
  readonly text: string
}

export interface PeopleHost {
  readonly world: World
  readonly events: MemberEvent[]
  /** Every call of the storage since the last reset, inside transactions too. */
  readonly calls: string[]
  /** Send as somebody, by name; `:name` in the path and names in the body are ids of whoever has that name. */
  send(method: string, path: string, as: string, body?: unknown): Promise<PeopleAnswer>
  close(): Promise<void>
}

/** What people there are: by name their roles, by the name of the organization. */
export type Cast = Readonly<Record<string, Readonly<Record<string, string>>>>

interface PeopleHostOptions {
  readonly orgs: readonly string[]
  readonly people: Cast
  readonly routes?: MemberRoutesOptions
}

/** Start one host for each framework. */
export async function openPeopleHosts(options: PeopleHostOptions): Promise<readonly PeopleHost[]> {
  return Promise.all(FRAMEWORKS.map((name) => openPeopleHost(name, options)))
}

/** Start one on a framework. */
export async function openPeopleHost(name: HostName, { orgs, people, routes }: PeopleHostOptions): Promise<PeopleHost> {
  const world = createWorld()
  const ids = new Map<string, string>()
  const headers = new Map<string, Readonly<Record<string, string>>>()
  for (const org of orgs) ids.set(org, await world.org(org))
  for (const [person, roles] of Object.entries(people)) {
    const byId = Object.entries(roles).map(([org, role]) => [ids.get(org) ?? '', role] as const)
    const { id, headers: own } = await world.person(person, Object.fromEntries(byId))
    ids.set(person, id)
    headers.set(person, own)
  }
  const calls = world.calls
  const events: MemberEvent[] = []
  const storage = countedInside(world.storage, calls)
  const members = createMembers({
    ...{ storage, roles: ROLES, manage: { role: 'admin' }, list: { role: 'viewer' } },
    onEvent: (event) => void events.push(event),
  })
  const organizations = createOrganizations({ storage, roles: ROLES, manage: { role: 'admin' } })
  const mounted = [
    ...createMemberRoutes(members, routes),
    ...createMemberRoutes(members, { path: MEMBERS_IN_PATH, selectors: [pathParam('orgId')] }),
    ...createOrganizationRoutes(organizations),
  ]
  const listening: Listening = await listen(HOSTS[name]({ auth: world.auth, routes: mounted }))
  const toIds = (text: string): string => text.replace(/:(\w+)/g, (all, each: string) => ids.get(each) ?? all)
  return {
    ...{ world, events, calls },
    async send(method, path, as, body) {
      const text = body === undefined ? undefined : toIds(JSON.stringify(body).replaceAll('":"', '": "'))
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const lines = Object.entries({ ...headers.get(as), ...type })
      const answer = await sendLines({ method, url: listening.url + toIds(path), lines, body: text })
      const named = [...ids].reduce((shown, [each, id]) => shown.replaceAll(id, each), answer.text)
      return {
        status: answer.status,
        type: answer.headers['content-type'] as string | undefined,
        cache: answer.headers['cache-control'] as string | undefined,
        text: named.replace(/"\d{4}-\d{2}-\d{2}T[\d:.]+Z"/g, '"(instant)"'),
      }
    },
    close: () => listening.close(),
  }
}

/** Count what is asked inside transactions too. */
function countedInside(storage: MemoryStorage, calls: string[]): MemoryStorage {
  return {
    ...storage,
    transaction: (work) =>
      storage.transaction(({ handle, accounts, ...inside }) => {
        const transaction = countedStorage({ ...storage, ...inside }, calls)
        return work({ ...transaction, accounts, handle })
      }),
  }
}
