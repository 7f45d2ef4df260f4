import Koa from 'koa'
import { createAuth } from 'sallyport'
import { createAdapter } from 'sallyport/koa'

const [issuer, audience] = [String(process.env.ISSUER), String(process.env.AUDIENCE)]
const secret = [String(process.env.JWT_SECRET), String(process.env.JWT_SECRET_PREVIOUS)] as const

const provider = createAdapter(
  createAuth({
    issuers: [
      {
        issuer,
        audience,
        keys: [{ kind: 'jwks', url: `${issuer}/.well-known/jwks.json`, algorithms: ['RS256'] }],
      },
    ],
  }),
)
const signed = createAdapter(
  createAuth({
    issuers: [{ issuer: null, audience: null, keys: [{ kind: 'secret', secret }] }],
  }),
)

const required = provider.protect(({ identity }, ctx) => {
  ctx.body = { subject: identity.subject }
})
const optional = provider.protect({ optional: true }, (context, ctx) => {
  ctx.body = { subject: context?.identity.subject ?? null }
})
const own = signed.protect(({ identity }, ctx) => {
  ctx.body = { subject: identity.subject }
})

export const app = new Koa()

app.use((ctx, next) => {
  if (ctx.path === '/api/me') return required(ctx, next)
  if (ctx.path === '/api/feed') return optional(ctx, next)
  if (ctx.path === '/api/own') return own(ctx, next)
  return next()
})
