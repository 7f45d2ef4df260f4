/** Coming from supabase-js: sessions of a project, whose Auth server `getUser` asks. */
import type { TokenClaims } from '../../src/testing/token-issuer.ts'
import type { Asked, World } from './guide.ts'
import { type SupabaseAuth, startSupabaseAuth } from './supabase-auth.ts'
import { BODY, bearer, plain } from './token-requests.ts'

/** A project with one user who is signed in. */
export interface SupabaseWorld extends World {
  readonly auth: SupabaseAuth
}

const ADA = '6f1d7a52-8d1e-4c6b-9a47-5e2b1d9f8c31'
const SESSION = '0b9c7a52-8d1e-4c6b-9a47-5e2b1d9f8c32'
const AWAY = 'http://127.0.0.1:1'

/** Start the project. */
export async function createSupabaseWorld(): Promise<SupabaseWorld> {
  const auth = await startSupabaseAuth()
  return {
    env: { SUPABASE_URL: auth.url, SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_of-nobody' },
    usual: JSON.stringify({ subject: ADA, email: 'ada@example.test' }),
    auth,
    close: () => auth.close(),
  }
}

interface Session {
  readonly claims?: TokenClaims
  readonly seconds?: number
  readonly state?: (auth: SupabaseAuth) => void
}

// A session of Ada's, and what has become of it before it is asked about.
function session(title: string, { claims = {}, seconds = 3600, state = () => {} }: Session = {}): Asked<SupabaseWorld> {
  return {
    title,
    async request({ auth }) {
      for (const those of [auth.users, auth.banned, auth.sessions]) those.clear()
      auth.users.add(ADA)
      auth.sessions.add(SESSION)
      state(auth)
      const exp = Math.floor(Date.now() / 1000) + seconds
      const usual = { sub: ADA, session_id: SESSION, email: 'ada@example.test', exp }
      return { headers: bearer(await auth.tokens.sign(auth.tokens.supabaseClaims({ ...usual, ...claims }))) }
    },
  }
}

/** What is asked. */
export const SUPABASE: readonly Asked<SupabaseWorld>[] = [
  session('a session'),
  session('a session that was signed out', { state: ({ sessions }) => void sessions.clear() }),
  session('a user who was deleted', { state: ({ users }) => void users.clear() }),
  session('a user who was banned', { state: ({ banned }) => void banned.add(ADA) }),
  session('a guest (`is_anonymous`)', { claims: { is_anonymous: true } }),
  session('a token of an OAuth app of the project (`client_id`)', { claims: { client_id: 'an-app' } }),
  session('a token without `exp`', { claims: { exp: undefined } }),
  session('a session that ended an hour ago', { seconds: -3600 }),
  session('a session that ended a second ago', { seconds: -1 }),
  session('a token for another audience', { claims: { aud: 'other' } }),
  session('a token of another issuer, by the same key', { claims: { iss: 'https://evil.example.com' } }),
  session('the key `service_role`, a JWT without `sub`', {
    claims: { sub: undefined, session_id: undefined, role: 'service_role' },
  }),
  plain('the publishable key', bearer('sb_publishable_of-nobody')),
  plain('no token', {}),
  BODY,
  plain('a token that is none', bearer('not-a-token')),
  {
    ...session('a session, while the Auth server is away', { claims: { iss: `${AWAY}/auth/v1` } }),
    env: { SUPABASE_URL: AWAY },
  },
]
