import express from 'express'
import { createAuth, supabase } from 'sallyport'
import { createAdapter } from 'sallyport/express'

const auth = createAuth({ issuers: [supabase({ url: process.env.SUPABASE_URL })] })
const signedIn = createAdapter(auth).middleware()

export const app = express()

app.use('/api', signedIn)

app.get('/api/me', (req, res) => {
  const { identity } = signedIn.getAuth(req)
  res.json({ subject: identity.subject, email: identity.email })
})
