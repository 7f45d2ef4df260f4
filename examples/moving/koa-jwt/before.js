import jwksRsa from 'jwks-rsa'
import Koa from 'koa'
import jwt from 'koa-jwt'

const { ISSUER, AUDIENCE, JWT_SECRET, JWT_SECRET_PREVIOUS } = process.env
const provider = {
  secret: jwksRsa.koaJwtSecret({ jwksUri: `${ISSUER}/.well-known/jwks.json`, cache: true, rateLimit: true }),
  algorithms: ['RS256'],
  issuer: ISSUER,
  audience: AUDIENCE,
}
const required = jwt(provider)
const optional = jwt({ ...provider, passthrough: true })
const own = jwt({ secret: [JWT_SECRET, JWT_SECRET_PREVIOUS], algorithms: ['HS256'] })

const subject = (ctx) => {
  ctx.body = { subject: ctx.state.user?.sub ?? null }
}

export const app = new Koa()

app.use((ctx, next) => {
  if (ctx.path === '/api/me') return required(ctx, () => subject(ctx))
  if (ctx.path === '/api/feed') return optional(ctx, () => subject(ctx))
  if (ctx.path === '/api/own') return own(ctx, () => subject(ctx))
  return next()
})
