import { Hono } from 'hono'
import { jwk } from 'hono/jwk'
import { jwt } from 'hono/jwt'

const { ISSUER, AUDIENCE, JWT_SECRET } = process.env
const provider = {
  jwks_uri: `${ISSUER}/.well-known/jwks.json`,
  alg: ['RS256'],
  verification: { iss: ISSUER, aud: AUDIENCE },
}

export const app = new Hono()

app.use('/api/me', jwk(provider))
app.get('/api/me', (c) => c.json({ subject: c.get('jwtPayload').sub }))

app.use('/api/feed', jwk({ ...provider, allow_anon: true }))
app.get('/api/feed', (c) => c.json({ subject: c.get('jwtPayload')?.sub ?? null }))

app.use('/api/own', jwt({ secret: JWT_SECRET, alg: 'HS256' }))
app.get('/api/own', (c) => c.json({ subject: c.get('jwtPayload').sub }))
