import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import express from 'express'

const auth = betterAuth({
  baseURL: process.env.PUBLIC_URL,
  secret: process.env.BETTER_AUTH_SECRET,
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }), // your database
  emailAndPassword: { enabled: true },
  user: { deleteUser: { enabled: true } },
})

export const app = express()

app.all('/api/auth/*splat', toNodeHandler(auth))

app.get('/api/me', async (req, res) => {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
  if (session === null) return res.status(401).json({ error: 'unauthorized' })
  res.json({ email: session.user.email })
})

app.get('/api/feed', async (req, res) => {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
  res.json({ email: session?.user.email ?? null })
})
