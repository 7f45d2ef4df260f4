/** One corridor with every kind of caller, mounted on the three frameworks: people, keys, a service, and routes for each. */
import { createApiKeyRoutes } from '../../src/api-keys/api-key-routes.ts'
import { type ApiKeys, createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { Access } from '../../src/request.ts'
import type { Route } from '../../src/route.ts'
import { createApiKeyVerifier } from '../../src/verify/api-key-verifier.ts'
import { jsonResponse } from '../../src/wire/json-response.ts'
import { HOSTS, type HostName, type Listening, listen } from '../adapters/hosts.ts'
import { createWorld, ROLES, type World } from '../corridor/world.ts'

export const FRAMEWORKS: readonly HostName[] = ['express 5', 'koa 3', 'hono']

/** Routes that say who got in, by name. */
export const ACCESSES: Readonly<Record<string, Access>> = {
  user: {},
  identity: { stage: 'identity' },
  key: { accept: ['apiKey'], role: 'member', scopes: ['things:write'] },
  both: { accept: ['user', 'apiKey'], scopes: ['things:read'] },
  service: { accept: ['service'] },
  telephony: { accept: ['service:telephony'] },
  any: { accept: ['user', 'apiKey', 'service'] },
  optional: { optional: true },
}

export interface KeyHosts {
  readonly world: World
  readonly apiKeys: ApiKeys
  readonly url: Readonly<Record<string, string>>
  /** Turn the clock of keys. */
  pass(milliseconds: number): void
  /** Send one request to every framework: the answers must be the same, to the byte. */
  send(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: unknown): Promise<KeyAnswer>
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
  const world = createWorld({
    auth: (storage) => ({ apiKeys: createApiKeyVerifier({ repository: storage.apiKeys, prefix: 'itk', clock }) }),
  })
  const apiKeys = createApiKeys({
    repository: world.storage.apiKeys,
    prefix: 'itk',
    roles: ROLES,
    scopes: { 'things:read': 'viewer', 'things:write': 'member' },
    defaultScopes: ['things:read'],
    clock,
  })
  const echoes = Object.entries(ACCESSES).map(
    ([name, access]): Route => ({
      method: 'GET',
      path: `/${name}`,
      access,
      handle: (context) => jsonResponse(200, { kind: context?.kind ?? 'nobody' }),
    }),
  )
  const routes = [...echoes, ...createApiKeyRoutes({ apiKeys, role: 'admin' })]
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
      const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers }
      const init = { method, headers: typed, ...(body !== undefined && { body: JSON.stringify(body) }) }
      const answers = []
      for (const url of urls) answers.push(await answerOf(await fetch(url + path, init)))
      return { ...(answers[0] as (typeof answers)[number]), all: answers }
    },
    close: async () => void (await Promise.all(listening.map(([, each]) => each.close()))),
  }
}

async function answerOf(response: Response): Promise<Omit<KeyAnswer, 'all'>> {
  const text = await response.text()
  const { status, headers } = response
  const code = /^\{"error":\{"code":"([a-z_]+)"/.exec(text)?.[1] ?? null
  return { status, code, challenge: headers.get('www-authenticate'), cache: headers.get('cache-control'), text }
}
