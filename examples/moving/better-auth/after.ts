import express from 'express'
import { createAuth } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import { betterAuth } from 'sallyport/issuers'

const baseUrl = String(process.env.BETTER_AUTH_URL) // https://login.example.com, where login.js runs
const { protect } = createAdapter(createAuth({ issuers: [betterAuth({ baseUrl })] }))

export const app = express()

app.get(
  '/api/me',
  protect(({ identity }, _req, res) => res.json({ email: identity.email })),
)

app.get(
  '/api/feed',
  protect({ optional: true }, (context, _req, res) => res.json({ email: context?.identity.email ?? null })),
)
