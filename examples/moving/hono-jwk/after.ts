import { Hono } from 'hono'
import { createAuth } from 'sallyport'
import { createAdapter } from 'sallyport/hono'

const [issuer, audience] = [String(process.env.ISSUER), String(process.env.AUDIENCE)]
const secret = String(process.env.JWT_SECRET)

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
const own = createAdapter(
  createAuth({
    issuers: [{ issuer: null, audience: null, keys: [{ kind: 'secret', secret }] }],
  }),
)

export const app = new Hono()

app.get(
  '/api/me',
  provider.protect(({ identity }, c) => c.json({ subject: identity.subject })),
)

app.get(
  '/api/feed',
  provider.protect({ optional: true }, (context, c) => c.json({ subject: context?.identity.subject ?? null })),
)

app.get(
  '/api/own',
  own.protect(({ identity }, c) => c.json({ subject: identity.subject })),
)
