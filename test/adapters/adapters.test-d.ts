/** What the adapters promise to the compiler: nothing here runs. */
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import express from 'express'
import { type Context, Hono } from 'hono'
import { hc } from 'hono/client'
import Koa from 'koa'
import {
  createAuth,
  type Organization,
  type OrgResolver,
  type ServiceVerifier,
  type User,
  type UserResolver,
  type Verifier,
} from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { expectTypeOf } from 'vitest'

type HostUser = User & { readonly plan: string }
type HostOrg = Organization & { readonly name: string }
declare const users: UserResolver<HostUser>
declare const orgs: OrgResolver<HostUser, HostOrg>
declare const verify: Verifier<never>
declare const services: ServiceVerifier<'billing'>
const auth = createAuth({ roles: ['member', 'admin'], verifier: verify, users, orgs, services })

/* Express */
{
  const { middleware, protect, mount, onError } = forExpress.createAdapter(auth)
  const app = express()
  app.use(middleware())
  // @ts-expect-error not a role of this auth
  app.use(middleware({ role: 'emperor' }))
  app.get(
    '/contacts/:id',
    protect({ role: 'admin' }, ({ org, role, user }, req, res) => {
      expectTypeOf(org.name).toEqualTypeOf<string>()
      expectTypeOf(role).toEqualTypeOf<'member' | 'admin'>()
      expectTypeOf(user.plan).toEqualTypeOf<string>()
      expectTypeOf(req.params['id']).toExtend<string | string[] | undefined>()
      res.json({})
    }),
  )
  app.get(
    '/plainly',
    protect(({ org, user }, req, res) => {
      expectTypeOf(org.name).toEqualTypeOf<string>()
      expectTypeOf(user.plan).toEqualTypeOf<string>()
      res.json({ path: req.path })
    }),
  )
  app.get(
    '/open',
    protect({ optional: true }, (context) => expectTypeOf(context).extract<null>().toEqualTypeOf<null>()),
  )
  app.get(
    '/service',
    protect({ accept: ['service'] }, ({ kind }) => expectTypeOf(kind).toEqualTypeOf<'service'>()),
  )
  // @ts-expect-error a service has no org
  protect({ accept: ['service'] }, ({ org }) => org)
  // @ts-expect-error a route that needs the identity knows no user row
  protect({ needs: 'identity' }, ({ user }) => user)
  app.get('/below', (req) => {
    expectTypeOf(middleware().getAuth(req).org.name).toEqualTypeOf<string>()
    // @ts-expect-error it may be nobody
    middleware({ optional: true }).getAuth(req).org
    expectTypeOf(middleware({ needs: 'user' }).getAuth(req).user.plan).toEqualTypeOf<string>()
  })
  mount(app, [])
  mount(express.Router(), [])
  app.use(onError)
}

/* Koa */
{
  const { middleware, protect, mount, onError } = forKoa.createAdapter(auth)
  interface State {
    readonly requestId: string
  }
  interface Custom {
    log(line: string): void
  }
  const app = new Koa<State, Custom>()
  app.use(onError)
  app.use(middleware())
  app.use(
    protect({ role: 'admin' }, ({ org, role }, ctx) => {
      expectTypeOf(org.name).toEqualTypeOf<string>()
      expectTypeOf(role).toEqualTypeOf<'member' | 'admin'>()
      ctx.body = { ok: true }
    }),
  )
  app.use(
    protect({}, ({ org }, ctx: Koa.ParameterizedContext<State, Custom>) => {
      expectTypeOf(ctx.state.requestId).toEqualTypeOf<string>()
      ctx.log(org.name)
    }),
  )
  app.use((ctx) => {
    expectTypeOf(middleware().getAuth(ctx).role).toEqualTypeOf<'member' | 'admin'>()
    void forKoa.readJson(ctx)
    forKoa.toAuthRequest(ctx)
    forKoa.writeAuthResponse(ctx, { status: 204, headers: [], body: null })
  })
  // @ts-expect-error it may be nobody
  app.use(protect({ optional: true }, ({ org }) => org))
  mount(app, [])
}

/* Hono */
{
  const { middleware, protect, mount, onError } = forHono.createAdapter(auth)
  type AppEnv = { Bindings: HttpBindings & { REGION: string }; Variables: { requestId: string } }
  const app = new Hono<AppEnv>()
  app.use('/api/*', middleware())
  const routes = app
    .get(
      '/contacts/:id',
      protect({ role: 'admin' }, ({ org, role }, c: Context<AppEnv, '/contacts/:id'>) => {
        expectTypeOf(org.name).toEqualTypeOf<string>()
        expectTypeOf(role).toEqualTypeOf<'member' | 'admin'>()
        expectTypeOf(c.env.REGION).toEqualTypeOf<string>()
        expectTypeOf(c.var.requestId).toEqualTypeOf<string>()
        expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
        return c.json({ id: c.req.param('id'), org: org.name })
      }),
    )
    .get(
      '/plain/:id',
      protect({}, ({ org }, c) => c.json({ id: c.req.param('id'), region: c.env.REGION as string, org: org.name })),
    )
  const client = hc<typeof routes>('http://127.0.0.1')
  void client.contacts[':id'].$get({ param: { id: '7' } }).then(async (response) => {
    expectTypeOf(await response.json()).toEqualTypeOf<{ id: string; org: string }>()
  })
  void client.plain[':id'].$get({ param: { id: '7' } }).then(async (response) => {
    expectTypeOf((await response.json()).org).toEqualTypeOf<string>()
  })
  app.get('/below', (c) => {
    expectTypeOf(middleware().getAuth(c).org.name).toEqualTypeOf<string>()
    void forHono.readJson(c)
    forHono.toAuthRequest(c)
    return forHono.writeAuthResponse(c, { status: 204, headers: [], body: null })
  })
  app.get(
    '/async',
    protect({}, async ({ org }, c) => c.text(org.name)),
  )
  app.use(protect({}, (_context, _c, next) => next()))
  // @ts-expect-error it may be nobody
  protect({ optional: true }, ({ org }) => new Response(org.id))
  mount(app, [])
  mount(new Hono(), [])
  app.onError(onError)
  getRequestListener(app.fetch)
}
