import { clerkMiddleware, getAuth } from '@clerk/express'
import express from 'express'

export const app = express()

app.use(clerkMiddleware({ jwtKey: process.env.CLERK_JWT_KEY, authorizedParties: ['https://app.example.com'] }))

app.get('/api/me', (req, res) => {
  const { isAuthenticated, userId } = getAuth(req)
  if (!isAuthenticated) return res.status(401).json({ error: 'unauthorized' })
  res.json({ subject: userId })
})

app.get('/api/feed', (req, res) => {
  res.json({ subject: getAuth(req).userId })
})

app.get('/api/invoices', (req, res) => {
  const { isAuthenticated, userId, orgId, has } = getAuth(req)
  if (!isAuthenticated) return res.status(401).json({ error: 'unauthorized' })
  if (!has({ permission: 'org:invoices:read' })) return res.status(403).json({ error: 'forbidden' })
  res.json({ subject: userId, org: orgId, mayPay: has({ permission: 'org:invoices:pay' }) })
})
