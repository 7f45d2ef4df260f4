import { createClient } from '@supabase/supabase-js'
import express from 'express'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY } = process.env
const supabase = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY)

export const app = express()

app.use('/api', async (req, res, next) => {
  const token = req.headers.authorization?.replace('Bearer ', '')
  if (token === undefined) return res.status(401).json({ error: 'unauthorized' })
  const { data, error } = await supabase.auth.getUser(token)
  if (error) return res.status(401).json({ error: 'unauthorized' })
  req.user = data.user
  next()
})

app.get('/api/me', (req, res) => {
  res.json({ subject: req.user.id, email: req.user.email })
})
