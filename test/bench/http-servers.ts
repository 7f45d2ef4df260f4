/** The servers of the HTTP rounds by framework: the same app with each way to authenticate, and without any. */
import { createPublicKey } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { MiddlewareHandler } from 'hono'
import type { Middleware } from 'koa'
import type { Auth } from 'sallyport'

/** What a server verifies by. */
export interface Given {
  readonly issuer: string
  readonly audience: string
  readonly jwks: { readonly keys: readonly object[] }
  readonly jwksUri: string
  readonly pem: string
}

type ByName<T> = Readonly<Record<string, (given: Given) => Promise<T>>>

export const NO_AUTH = 'no auth'
/** The same once more: what noise alone does. */
const CONTROL = 'no auth, again'
/** What a framework itself takes for any middleware. */
const EMPTY = 'no auth, an empty middleware'
export const OURS = 'sallyport'
const BY_HAND = 'jose by hand'
const ALGORITHMS = ['ES256']

const EXPRESS: ByName<RequestHandler> = {
  [EMPTY]: async () => (_req, _res, next) => next(),
  [OURS]: async (given) => (await import('sallyport/express')).createAdapter(await createOurs(given)).middleware(),
  async 'express-jwt'({ issuer, audience, pem }) {
    const { expressjwt } = await import('express-jwt')
    return expressjwt({ secret: createPublicKey(pem), algorithms: ALGORITHMS, issuer, audience })
  },
  async 'express-oauth2-jwt-bearer'({ issuer, audience, jwksUri }) {
    const { auth } = await import('express-oauth2-jwt-bearer')
    return auth({ issuer, audience, jwksUri, tokenSigningAlg: 'ES256' })
  },
  async 'passport-jwt'({ issuer, audience, pem }) {
    const { default: passport } = await import('passport')
    const { ExtractJwt, Strategy } = await import('passport-jwt')
    const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken()
    const options = { jwtFromRequest, secretOrKey: pem, issuer, audience, algorithms: ALGORITHMS }
    passport.use(new Strategy(options, (claims, done) => done(null, claims)))
    return passport.authenticate('jwt', { session: false })
  },
  async [BY_HAND](given) {
    const verify = await joseByHand(given)
    return (req, res, next) =>
      void verify(req.headers.authorization).then(
        () => next(),
        () => void res.status(401).end(),
      )
  },
}

const KOA: ByName<Middleware> = {
  [EMPTY]: async () => (_ctx, next) => next(),
  [OURS]: async (given) => (await import('sallyport/koa')).createAdapter(await createOurs(given)).middleware(),
  async 'koa-jwt'({ issuer, audience, pem }) {
    const { default: jwt } = await import('koa-jwt')
    return jwt({ secret: createPublicKey(pem), algorithms: ALGORITHMS, issuer, audience })
  },
  async [BY_HAND](given) {
    const verify = await joseByHand(given)
    return async (ctx, next) => {
      try {
        await verify(ctx.headers.authorization)
      } catch {
        ctx.status = 401
        return
      }
      await next()
    }
  },
}

const HONO: ByName<MiddlewareHandler> = {
  [EMPTY]: async () => (_c, next) => next(),
  [OURS]: async (given) => (await import('sallyport/hono')).createAdapter(await createOurs(given)).middleware(),
  async 'hono/jwt'({ issuer, audience, pem }) {
    const { jwt } = await import('hono/jwt')
    const bytes = createPublicKey(pem).export({ type: 'spki', format: 'der' }) as Uint8Array<ArrayBuffer>
    const parameters = { name: 'ECDSA', namedCurve: 'P-256' }
    const secret = await crypto.subtle.importKey('spki', bytes, parameters, false, ['verify'])
    return jwt({ secret, alg: 'ES256', verification: { iss: issuer, aud: audience } } as never)
  },
  async 'hono/jwk'({ issuer, audience, jwks }) {
    const { jwk } = await import('hono/jwk')
    return jwk({ keys: jwks.keys as never, alg: ['ES256'], verification: { iss: issuer, aud: audience } })
  },
  async [BY_HAND](given) {
    const verify = await joseByHand(given)
    return async (c, next) => {
      try {
        await verify(c.req.header('authorization'))
      } catch {
        return c.body(null, 401)
      }
      return next()
    }
  },
}

// Its plugin's own options; no framework of ours.
const FASTIFY: ByName<object> = {
  '@fastify/jwt, cache': async () => ({ cache: true }),
  '@fastify/jwt': async () => ({}),
}

export type Framework = 'express' | 'koa' | 'hono' | 'fastify'
const WAYS: Readonly<Record<Framework, object>> = { express: EXPRESS, koa: KOA, hono: HONO, fastify: FASTIFY }

/** Everybody on a framework, who does not authenticate first. */
export function serversOf(framework: Framework): string[] {
  return [NO_AUTH, CONTROL, ...Object.keys(WAYS[framework])]
}

/** Make the app of a framework with one of its ways. */
export async function createListener(framework: Framework, name: string, given: Given): Promise<RequestListener> {
  const way = <T>(ways: ByName<T>): Promise<T> | null => ways[name]?.(given) ?? null
  switch (framework) {
    case 'express':
      return createExpressApp(await way(EXPRESS))
    case 'koa':
      return createKoaApp(await way(KOA))
    case 'hono':
      return createHonoApp(await way(HONO))
    case 'fastify':
      return createFastifyApp(await way(FASTIFY), given)
  }
}

async function createExpressApp(way: RequestHandler | null): Promise<RequestListener> {
  const { default: express } = await import('express')
  const app = express()
  if (way !== null) app.use(way)
  app.get('/', (_req, res) => void res.json({ ok: true }))
  // Express would print what is refused.
  const refuse: ErrorRequestHandler = (error, _req, res, _next) => void res.status(error.status ?? 500).end()
  app.use(refuse)
  return app
}

async function createKoaApp(way: Middleware | null): Promise<RequestListener> {
  const { default: Koa } = await import('koa')
  const app = new Koa()
  if (way !== null) app.use(way)
  app.use((ctx) => {
    ctx.body = { ok: true }
  })
  app.silent = true
  return app.callback()
}

async function createHonoApp(way: MiddlewareHandler | null): Promise<RequestListener> {
  const { Hono } = await import('hono')
  const { getRequestListener } = await import('@hono/node-server')
  const app = new Hono()
  if (way !== null) app.use(way)
  app.get('/', (c) => c.json({ ok: true }))
  return getRequestListener(app.fetch)
}

async function createFastifyApp(way: object | null, { issuer, audience, pem }: Given): Promise<RequestListener> {
  const { default: fastify } = await import('fastify')
  const app = fastify()
  if (way !== null) {
    const verify = { algorithms: ALGORITHMS, allowedIss: issuer, allowedAud: audience, ...way }
    await app.register((await import('@fastify/jwt')).default, { secret: { public: pem }, verify })
    app.addHook('onRequest', (request) => request.jwtVerify())
  }
  app.get('/', async () => ({ ok: true }))
  await app.ready()
  return (req, res) => app.server.emit('request', req, res)
}

async function createOurs({ issuer, audience, jwks }: Given): Promise<Auth> {
  const { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } = await import('sallyport')
  const { createMemoryStorage } = await import('sallyport/memory')
  const storage = createMemoryStorage()
  const keys = [{ kind: 'jwks' as const, keys: jwks.keys as never }]
  return createAuth({
    roles: ['owner'],
    verifier: createJwtVerifier({ issuers: [{ issuer, keys, audience }] }),
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'earliest-joined',
    }),
  }) as never
}

async function joseByHand({ issuer, audience, jwks }: Given): Promise<(line: string | undefined) => Promise<unknown>> {
  const { createLocalJWKSet, jwtVerify } = await import('jose')
  const keys = createLocalJWKSet(jwks as never)
  return (line) => jwtVerify(line?.slice('Bearer '.length) ?? '', keys, { issuer, audience })
}
