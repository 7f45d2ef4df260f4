import express from 'express'
import { expressjwt } from 'express-jwt'
import jwksRsa from 'jwks-rsa'

const { ISSUER, AUDIENCE, JWT_SECRET } = process.env
const provider = {
  secret: jwksRsa.expressJwtSecret({ jwksUri: `${ISSUER}/.well-known/jwks.json`, cache: true, rateLimit: true }),
  algorithms: ['RS256'],
  issuer: ISSUER,
  audience: AUDIENCE,
}

export const app = express()

app.get('/api/me', expressjwt(provider), (req, res) => {
  res.json({ subject: req.auth.sub })
})

app.get('/api/feed', expressjwt({ ...provider, credentialsRequired: false }), (req, res) => {
  res.json({ subject: req.auth?.sub ?? null })
})

app.get('/api/own', expressjwt({ secret: JWT_SECRET, algorithms: ['HS256'] }), (req, res) => {
  res.json({ subject: req.auth.sub })
})

app.use((error, _req, res, next) => {
  if (error.name !== 'UnauthorizedError') return next(error)
  res.status(401).json({ error: error.code })
})
