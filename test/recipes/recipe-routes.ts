/**
 * What is added to each recipe so that it can be asked more: routes whose handlers refuse and fail, a member who is no admin.
 * A text is put where the recipe has a mark, so that the recipe itself stays what its page shows.
 */

/** Put a text in place of a mark that must be there, once. */
export function put(code: string, mark: string, text: string): string {
  if (code.split(mark).length !== 2) throw new Error(`"${mark}" is not there once`)
  return code.replace(mark, () => text)
}

/** Behind `auth.ts`: Bob is a member of an organization, and of no other. */
export const SEED = `
const org = await storage.orgs.insert({ name: 'acme' })
const bob = { issuer: \`\${process.env['SUPABASE_URL']}/auth/v1\`, subject: 'bob', email: 'bob@example.test' }
const { user } = await storage.users.upsertByIdentity(bob)
await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'member' })
`

/** What a handler throws that fails. */
export const FAULT = 'a fault of the handler'

const express = `
import { AuthError, type AuthErrorCode } from 'sallyport'
import { readJson } from 'sallyport/express'
app.get('/api/refuse', protect((_, req) => {
  throw new AuthError(req.query['code'] as AuthErrorCode)
}))
app.get('/api/fault', protect(() => Promise.reject(new Error('${FAULT}'))))
app.post('/api/contacts', protect({ role: 'admin' }, async ({ org }, req, res) => {
  res.json({ added: await readJson(req), to: org.name })
}))
`

const fastify = `
const { AuthError } = await import('sallyport')
app.get('/api/refuse', protect({}, (_, request) => {
  throw new AuthError((request.query as { code: AuthErrorCode }).code)
}))
app.get('/api/fault', protect({}, () => Promise.reject(new Error('${FAULT}'))))
`

const nest = `
const { AuthError } = await import('sallyport')
@Allow()
@Controller('api')
class MoreController {
  @Get('refuse')
  refuse(@Query('code') code: AuthErrorCode) {
    throw new AuthError(code)
  }

  @Get('fault')
  fault() {
    throw new Error('${FAULT}')
  }
}

`

const nestFirst = `const { createAdapter } = await import('sallyport/express')
app.use('/api', createAdapter(auth).middleware())
`

/** Handlers of the recipe for Fetch. */
const MORE = `import { AuthError, type AuthErrorCode, readJson } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { protect } from './fetch.ts'

export const refuse = protect({}, (_, request) => {
  throw new AuthError(new URL(request.url).searchParams.get('code') as AuthErrorCode)
})
export const fault = protect({}, () => Promise.reject(new Error('${FAULT}')))
export const add = protect({ role: 'admin' }, async ({ org }, request) =>
  Response.json({ added: await readJson(fromFetchRequest(request)), to: org.name }),
)
`

const bun = `import me from './bun.ts'
import { add, fault, refuse } from './more.ts'

const routes: Record<string, (request: Request) => Promise<Response>> = {
  '/api/me': me.fetch,
  '/api/refuse': refuse,
  '/api/fault': fault,
  '/api/contacts': add,
}
const missing = async (): Promise<Response> => new Response('Not Found', { status: 404 })

export default { ...me, fetch: (request: Request) => (routes[new URL(request.url).pathname] ?? missing)(request) }
`

const trpc = `
  refuse: allow({}).input((code) => code as AuthErrorCode).query(({ input }) => {
    throw new AuthError(input)
  }),
  fault: allow({}).query(() => Promise.reject(new Error('${FAULT}'))),
  late: allow({}).query(() => Promise.reject(new TRPCError({ code: 'GATEWAY_TIMEOUT' }))),
  count: allow({}).input((value) => {
    if (typeof value !== 'number') throw new Error('no number')
    return value
  }).mutation(({ input }) => input),
  guarded: allow({}).query(({ ctx: { caller } }) => auth.requireRole('owner')(caller).role),
  hello:`

// Not a recipe: how a Fetch handler is served is not tRPC's concern.
const TRPC_SERVER = `import { getRequestListener } from '@hono/node-server'
import { createServer } from 'node:http'
import { handler } from './trpc.ts'
createServer(getRequestListener(handler)).listen(process.env['PORT'])
`

const CODE_TYPE = "import { type AuthErrorCode } from 'sallyport'\n"

/** The programs that are asked, by file: of the recipe's text, what is run. */
export function programsOf(textOf: (recipe: string) => string, firstRoute: string): Readonly<Record<string, string>> {
  const listening = 'await app.listen'
  const nestMore = put(
    put(textOf('nest.ts'), '@Module', `${nest}@Module`),
    '[ContactsController]',
    '[ContactsController, MoreController]',
  )
  const nestApp = put(`${CODE_TYPE}${nestMore}`, '  Get,\n', '  Get,\n  Query,\n')
  const elysiaMore = put(
    textOf('elysia.ts'),
    '  .listen(',
    `  .get('/api/refuse', ({ request }) => refuse(request))
  .get('/api/fault', ({ request }) => fault(request))
  .listen(`,
  )
  return {
    'auth.ts': textOf('auth.ts') + SEED,
    'express.ts': firstRoute + express,
    'fastify.ts': put(`${CODE_TYPE}${textOf('fastify.ts')}`, listening, fastify + listening),
    'nest.ts': nestApp,
    'nest-first.ts': put(nestApp, listening, nestFirst + listening),
    'fetch.ts': textOf('fetch.ts'),
    'more.ts': MORE,
    'bun.ts': textOf('bun.ts'),
    'bun-routes.ts': bun,
    'elysia.ts': `import { fault, refuse } from './more.ts'\n${elysiaMore}`,
    'trpc.ts': put(
      `import { AuthError, type AuthErrorCode } from 'sallyport'\n${textOf('trpc.ts')}`,
      '  hello:',
      trpc.slice(1),
    ),
    'trpc-server.ts': TRPC_SERVER,
    ...Object.fromEntries(
      [
        ['contacts', 'POST', 'add'],
        ['refuse', 'GET', 'refuse'],
        ['fault', 'GET', 'fault'],
      ].map(([path, method, name]) => [
        `next/app/api/${path}/route.ts`,
        `export { ${name} as ${method} } from '../../../../more.ts'\n`,
      ]),
    ),
  }
}
