/**
 * A host that puts a check of its own around an authorizer, with all that hangs on ours, had it passed over: the adapters called a
 * second function that hung there. Without it, every request was a 500.
 */
import { expect, it } from 'vitest'
import type { Auth } from '../../src/auth.ts'
import { AuthError } from '../../src/errors.ts'
import { jsonResponse } from '../../src/http/json-response.ts'
import type { AuthRequest } from '../../src/request.ts'
import { createWorld } from '../pipeline/world.ts'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'

type Authorize = ((request: AuthRequest) => Promise<unknown>) & { contextOf(source: object): unknown }

const WRAPPERS: Readonly<
  Record<string, (ours: Authorize, own: (request: AuthRequest) => Promise<unknown>) => unknown>
> = {
  'with all that hangs on ours': (ours, own) => Object.assign(own, ours),
  'with what its type says': ({ contextOf }, own) => Object.assign(own, { contextOf }),
}

it.each(
  (Object.keys(HOSTS) as HostName[]).flatMap((name) =>
    Object.keys(WRAPPERS).flatMap((kind) => [undefined, 5].map((seconds) => [name, kind, seconds] as const)),
  ),
)('%s asks it, %s, bodies in %s s', async (name, kind, bodyTimeoutSeconds) => {
  const world = createWorld()
  const { headers } = await world.person('ada', { [await world.org('a')]: 'member' })
  let isClosed = false
  const authorizer = (access: object): unknown => {
    const ours = world.auth.authorizer(access as never) as unknown as Authorize
    return WRAPPERS[kind]?.(ours, async (request) => {
      if (isClosed) throw new AuthError('forbidden', { reason: 'test_closed' })
      return ours(request)
    })
  }
  const auth = { ...world.auth, authorizer } as Auth
  const answer = () => jsonResponse(200, {})
  const endpoint = { method: 'GET', path: '/x', mounts: [], access: {}, answer } as const
  const server = await listen(HOSTS[name]({ auth, endpoints: [endpoint], options: { bodyTimeoutSeconds } }))
  const statuses: number[] = []
  for (isClosed of [false, true]) statuses.push((await fetch(`${server.url}/x`, { headers })).status)
  await server.close()
  expect(statuses).toEqual([200, 403])
})
