/** One pipeline with every kind of caller, mounted on the three frameworks: people, keys, a service, and routes for each. */
import * as z from 'zod/mini'
import { send as sendLines, type WireAnswer } from '../../examples/demo/send.ts'
import { isText } from '../../src/api-keys/api-key-actions.ts'
import { type ApiKeys, createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { AuthContext } from '../../src/context.ts'
import { jsonResponse } from '../../src/http/json-response.ts'
import { readJson } from '../../src/http/read-json.ts'
import { pathParam } from '../../src/orgs/selector.ts'
import type { Access } from '../../src/request.ts'
import type { Route } from '../../src/route.ts'
import { createServiceVerifier } from '../../src/services/service-verifier.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createSyncRoute } from '../../src/users/sync.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { createWorld, issuer, ROLES, SERVICE_SECRET, type World } from '../pipeline/world.ts'
import { HOSTS, type HostName, type Listening, listen } from '../support/hosts.ts'

export const FRAMEWORKS: readonly HostName[] = ['express 5', 'koa 3', 'hono']

/** Routes that say who got in, by name. */
export const ACCESSES: Readonly<Record<string, Access>> = {
  user: {},
  person: { needs: 'user' },
  identity: { needs: 'identity' },
  key: { accept: ['apiKey'], role: 'member', permissions: ['things:write'] },
  both: { accept: ['user', 'apiKey'], permissions: ['things:read'] },
  service: { accept: ['service'] },
  telephony: { accept: ['service:telephony'] },
  any: { accept: ['user', 'apiKey', 'service'] },
  optional: { optional: true },
  public: 'public',
  machine: { accept: ['machine'], role: 'member', permissions: ['things:write'] },
  deploy: { accept: ['machine:deploy'], needs: 'identity' },
  all: { accept: ['user', 'apiKey', 'machine'], permissions: ['things:read'] },
}

/** The issuer of machines; its secret is that of the issuer of people. */
export const CI = 'https://ci.test'

// Each with its own, so that nobody's token is anybody else's.
const verifier = createJwtVerifier({
  issuers: [
    { issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience },
    {
      issuer: CI,
      keys: [{ kind: 'secret', secret: issuer.secret }],
      audience: 'ci',
      claims: { scopes: 'scope' },
      machine: () => true,
      machines: [{ name: 'deploy', when: { environment: 'production' }, orgId: null, role: 'member' }],
    },
  ],
})

/** What the service sent before its secret was changed, while both are good. */
export const PREVIOUS_SECRET = 'the-secret-of-a-service-before-it-was-changed'

/** Headers by name, or as the lines they are on the wire. */
export type Headers = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[]

export interface KeyHosts {
  readonly world: World
  readonly apiKeys: ApiKeys
  readonly url: Readonly<Record<string, string>>
  /** Turn the clock of keys. */
  pass(milliseconds: number): void
  /** Send one request to every framework, or to a path of its own on each: the answers must be the same, to the byte. */
  send(method: string, path: string | readonly string[], headers?: Headers, body?: unknown): Promise<KeyAnswer>
  close(): Promise<void>
}

export interface KeyAnswer {
  readonly status: number
  readonly code: string | null
  readonly challenge: string | null
  readonly cache: string | null
  readonly text: string
  /** One per framework; they differ only where each made something of its own. */
  readonly all: readonly { readonly status: number; readonly text: string }[]
}

export async function openKeyHosts(): Promise<KeyHosts> {
  let now = Date.now()
  const clock = (): number => now
  const keysOf = (storage: World['storage']) =>
    createApiKeys({
      storage: { apiKeys: storage.apiKeys },
      prefix: 'itk',
      roles: ROLES,
      defaultPermissions: ['things:read'],
      clock,
    })
  const world = createWorld({
    auth: (storage) => ({
      verifier,
      machines: storage.machines,
      apiKeys: keysOf(storage),
      services: createServiceVerifier({
        services: {
          telephony: { header: 'X-Telephony-Secret', secrets: [SERVICE_SECRET, PREVIOUS_SECRET] },
          billing: { header: 'X-Billing-Secret', secrets: null },
        },
      }),
    }),
  })
  const apiKeys = keysOf(world.storage)
  const echoes = Object.entries(ACCESSES).map(
    ([name, access]): Route => ({
      method: 'GET',
      path: `/${name}`,
      access,
      handle: (context) => jsonResponse(200, { kind: context?.kind ?? 'nobody' }),
    }),
  )
  const { storage } = world
  const sync = createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships })
  const routes = [...echoes, ofPath(), booking(world), sync, ...apiKeys.routes({ role: 'admin' })]
  const mounted = { auth: world.auth, routes, endpoints: [] } as unknown as Parameters<(typeof HOSTS)[HostName]>[0]
  const listening: readonly (readonly [HostName, Listening])[] = await Promise.all(
    FRAMEWORKS.map(async (name) => [name, await listen(HOSTS[name](mounted))] as const),
  )
  const urls = listening.map(([, { url }]) => url)
  return {
    world,
    apiKeys,
    url: Object.fromEntries(listening.map(([name, { url }]) => [name, url])),
    pass: (milliseconds) => {
      now += milliseconds
    },
    async send(method, path, headers = {}, body) {
      const given = Array.isArray(headers) ? (headers as [string, string][]) : Object.entries(headers)
      const typed = body === undefined || given.some(([name]) => /^content-type$/i.test(name))
      const lines = typed ? given : [['Content-Type', 'application/json'] as const, ...given]
      const text = body === undefined ? undefined : JSON.stringify(body)
      const answers = []
      for (const [at, base] of urls.entries()) {
        const url = base + (typeof path === 'string' ? path : (path[at] as string))
        answers.push(answerOf(await sendLines({ method, url, lines, body: text })))
      }
      return { ...(answers[0] as (typeof answers)[number]), all: answers }
    },
    close: async () => void (await Promise.all(listening.map(([, each]) => each.close()))),
  }
}

/** A route that names its org in the path. */
function ofPath(): Route {
  return {
    method: 'GET',
    path: '/path/:orgId',
    access: { accept: ['user', 'apiKey'], selectors: [pathParam('orgId')] },
    handle: (context) => jsonResponse(200, { kind: context?.kind ?? 'nobody' }),
  }
}

/** A route of a service, which names the org it acts in in its body. */
function booking({ auth }: World): Route {
  return {
    method: 'POST',
    path: '/booking',
    access: { accept: ['service:telephony'] },
    async handle(context, request) {
      const { org_id: orgId } = await readJson(request, z.object({ org_id: z.custom<string>(isText) }))
      const { org } = await auth.actIn(context as AuthContext, orgId)
      return jsonResponse(201, { org: org.id })
    },
  }
}

function answerOf({ status, headers, text }: WireAnswer): Omit<KeyAnswer, 'all'> {
  const code = /^\{"error":\{"code":"([a-z_]+)"/.exec(text)?.[1] ?? null
  const headerOf = (name: string): string | null => (headers[name] as string | undefined) ?? null
  return { status, code, challenge: headerOf('www-authenticate'), cache: headerOf('cache-control'), text }
}
