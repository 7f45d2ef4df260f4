import express from 'express'
import { createAuth } from 'sallyport'
import { createAdapter } from 'sallyport/express'

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

export const app = express()

app.get(
  '/api/me',
  provider.protect(({ identity }, _req, res) => res.json({ subject: identity.subject })),
)

app.get(
  '/api/feed',
  provider.protect({ optional: true }, (context, _req, res) =>
    res.json({ subject: context?.identity.subject ?? null }),
  ),
)

app.get(
  '/api/own',
  own.protect(({ identity }, _req, res) => res.json({ subject: identity.subject })),
)
