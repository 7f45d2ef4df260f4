import { createAuth, supabase } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'

export const storage = createMemoryStorage() // your own tables: see "Your tables"

export const auth = createAuth({
  issuers: [supabase({ url: process.env.SUPABASE_URL })], // https://abc.supabase.co
  storage,
  roles: ['member', 'admin', 'owner'], // the ladder, lowest first
})
