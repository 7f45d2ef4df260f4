import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'

const { ISSUER, AUDIENCE, JWT_SECRET } = process.env
const provider = { issuerBaseURL: ISSUER, audience: AUDIENCE }
const own = { issuer: ISSUER, audience: AUDIENCE, secret: JWT_SECRET, tokenSigningAlg: 'HS256' }

export const app = express()

app.get('/api/me', auth(provider), (req, res) => {
  res.json({ subject: req.auth.payload.sub })
})

app.get('/api/feed', auth({ ...provider, authRequired: false }), (req, res) => {
  res.json({ subject: req.auth?.payload.sub ?? null })
})

app.get('/api/reports', auth(provider), requiredScopes('read:reports'), (req, res) => {
  res.json({ subject: req.auth.payload.sub })
})

app.get('/api/own', auth(own), (req, res) => {
  res.json({ subject: req.auth.payload.sub })
})
