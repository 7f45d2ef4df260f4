/** The guides of docs/coming-from-*.md. */
import { createBetterAuthWorld, SIGNED_IN, VISITORS } from './better-auth.ts'
import { createClerkWorld, PERMISSIONS, SESSIONS } from './clerk.ts'
import { type Guide, guide } from './guide.ts'
import { createSupabaseWorld, SUPABASE } from './supabase.ts'
import {
  createTokenWorld,
  KEYS_AWAY,
  OPTIONAL,
  PREVIOUS_SECRET,
  REQUIRED,
  SCOPES,
  SHARED_SECRET,
} from './token-requests.ts'

const TOKENS = { '/api/me': [...REQUIRED, ...KEYS_AWAY], '/api/feed': OPTIONAL, '/api/own': SHARED_SECRET }

/** All of them. */
export const GUIDES: readonly Guide[] = [
  guide('express-jwt', createTokenWorld, TOKENS),
  guide('koa-jwt', createTokenWorld, { ...TOKENS, '/api/own': [...SHARED_SECRET, ...PREVIOUS_SECRET] }),
  guide('hono-jwk', createTokenWorld, TOKENS),
  guide('express-oauth2-jwt-bearer', createTokenWorld, { ...TOKENS, '/api/reports': SCOPES }),
  guide('clerk', createClerkWorld, {
    '/api/me': [...REQUIRED, ...SESSIONS],
    '/api/feed': OPTIONAL,
    '/api/invoices': PERMISSIONS,
  }),
  guide('supabase', createSupabaseWorld, { '/api/me': SUPABASE }),
  guide('better-auth', createBetterAuthWorld, { '/api/me': SIGNED_IN, '/api/feed': VISITORS }),
]
