/** What the adapter audit finds: hosts that answer wrongly in one thing each. */
import type { RequestListener } from 'node:http'
import express from 'express'
import { createAdapter, writeAuthResponse } from 'sallyport/express'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createAdapterAudit, type FetchHandler, runAdapterAudit } from '../../src/testing/adapter-audit.ts'
import { honoApp, listen } from '../support/hosts.ts'

/** A host that changes what the right one answers. */
const changing =
  (change: (headers: Headers, response: Response) => unknown) =>
  (right: FetchHandler): FetchHandler =>
  async (request) => {
    const response = await right(request)
    const headers = new Headers(response.headers)
    change(headers, response)
    const isEmpty = response.status === 204
    return new Response(isEmpty ? null : await response.arrayBuffer(), { status: response.status, headers })
  }

const WRONG: Readonly<Record<string, readonly [failing: string, host: (right: FetchHandler) => FetchHandler]>> = {
  'two cookies in one line': [
    'route/cookies',
    changing((headers) => {
      if (headers.has('set-cookie')) headers.set('set-cookie', headers.getSetCookie().join(', '))
    }),
  ],
  'the last cookie alone': [
    'route/cookies',
    changing((headers) => {
      const [, last] = headers.getSetCookie()
      if (last !== undefined) headers.set('set-cookie', last)
    }),
  ],
  'no Vary': ['org/named', changing((headers) => headers.delete('vary'))],
  'a header twice': ['body/missing', changing((headers) => headers.append('cache-control', 'no-store'))],
  'no challenge': ['path/none', changing((headers) => headers.delete('www-authenticate'))],
  'a type without its charset': [
    'org/stranger',
    changing((headers) => headers.set('content-type', 'application/json')),
  ],
  'a fault that passes for a refusal': [
    'fault/error/user',
    (right) => async (request) => {
      const response = await right(request)
      return response.status === 500 ? new Response('', { status: 401 }) : response
    },
  ],
}

describe('the adapter audit', () => {
  let audit: Awaited<ReturnType<typeof createAdapterAudit>>
  let right: FetchHandler

  beforeAll(async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    audit = await createAdapterAudit()
    right = honoApp(audit).fetch
    return () => vi.restoreAllMocks()
  })

  it('finds nothing on a host that is right', async () => {
    const failed = (await runAdapterAudit(audit, right)).filter(({ problems }) => problems.length > 0)
    expect(failed).toEqual([])
  })

  it.each(Object.entries(WRONG))('finds %s', async (_, [failing, host]) => {
    const results = await runAdapterAudit({ cases: audit.cases.filter(({ id }) => id === failing) }, host(right))
    expect(results.map(({ id, problems }) => [id, problems.length])).toEqual([[failing, 1]])
  })

  it('finds an adapter that goes on to the handler once it has refused', async () => {
    const own = await createAdapterAudit()
    const { middleware, protect } = createAdapter(own.auth)
    const app = express()
    for (const { path, mounts, access, answer } of own.endpoints.filter(({ path }) => path === '/weaker-inside')) {
      const guards = mounts.map((each) => goingOn(middleware(each)))
      app.get(
        path,
        ...guards,
        protect(access ?? {}, (context, _req, res) => writeAuthResponse(res, answer(context))),
      )
    }
    const { url, close } = await listen(app as unknown as RequestListener)
    const cases = own.cases.filter(({ request }) => request.path === '/weaker-inside')
    const results = await runAdapterAudit({ cases }, url)
    await close()
    expect(results.filter(({ problems }) => problems.length > 0).map(({ id }) => id)).toEqual([
      'mount/weaker-inside-admin',
    ])
  })
})

/** Once a refusal is written, whatever follows runs all the same. */
function goingOn(right: express.RequestHandler): express.RequestHandler {
  return (req, res, next) => {
    const end = res.end.bind(res)
    res.end = ((...given: Parameters<typeof end>) => {
      res.end = end
      const ended = end(...given)
      if (res.statusCode === 403) next()
      return ended
    }) as typeof res.end
    return right(req, res, next)
  }
}
