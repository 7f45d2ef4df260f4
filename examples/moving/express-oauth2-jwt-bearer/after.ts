import express from 'express'
import { createAuth, oidc } from 'sallyport'
import { createAdapter } from 'sallyport/express'

const [issuer, audience] = [String(process.env.ISSUER), String(process.env.AUDIENCE)]
const secret = String(process.env.JWT_SECRET)

const provider = createAdapter(
  createAuth({
    issuers: [{ ...oidc({ issuer, audience }), claims: { scopes: 'scope' } }], // the claim whose scopes bind
  }),
)
const own = createAdapter(
  createAuth({
    issuers: [{ issuer, audience, keys: [{ kind: 'secret', secret }] }],
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
  '/api/reports',
  provider.protect({ permissions: ['read:reports'] }, ({ identity }, _req, res) =>
    res.json({ subject: identity.subject }),
  ),
)

app.get(
  '/api/own',
  own.protect(({ identity }, _req, res) => res.json({ subject: identity.subject })),
)
