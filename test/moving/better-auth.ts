/** Coming from Better Auth: it goes on signing people in; the app before is it itself, the app after takes its JWTs. */
import { startApp } from './apps.ts'
import type { Asked, World } from './guide.ts'
import { BODY, bearer, plain } from './token-requests.ts'

const PASSWORD = 'a-password-for-this-proof'

/** The server that signs people in for the app after. */
interface LoginWorld extends World {
  readonly login: string
}

/** Start it. The app before signs people in itself. */
export async function createBetterAuthWorld(): Promise<LoginWorld> {
  const env = {
    BETTER_AUTH_SECRET: 'a-secret-of-better-auth-for-this-proof-only',
    BETTER_AUTH_TELEMETRY: '0',
    PUBLIC_URL: '{url}',
  }
  const app = await startApp('better-auth/login', env)
  const login = String(app.url)
  return {
    env: { ...env, BETTER_AUTH_URL: login },
    usual: '{"email":"ada@example.test"}',
    login,
    close: () => app.stop(),
  }
}

// Signed up where the server does not know her, yet or any more.
async function signIn(base: string): Promise<string> {
  const who = { email: 'ada@example.test', password: PASSWORD }
  const known = await post(base, 'sign-in/email', who)
  const answer = known.ok ? known : await post(base, 'sign-up/email', { ...who, name: 'Ada' })
  if (!answer.ok) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`)
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

async function tokenOf(base: string, cookie: string): Promise<string> {
  const answer = await fetch(`${base}/api/auth/token`, { headers: { cookie } })
  return ((await answer.json()) as { token: string }).token
}

function post(base: string, path: string, body: object, cookie = ''): Promise<Response> {
  return fetch(`${base}/api/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base, cookie },
    body: JSON.stringify(body),
  })
}

type Become = (base: string, cookie: string) => Promise<Response>

// Before, the cookie is what the API takes; after, a JWT that the cookie was exchanged for. Then something becomes of the session.
function session(title: string, become?: Become): Asked<LoginWorld> {
  return {
    title,
    async request({ login }, { side, url }) {
      const base = side === 'before' ? url : login
      const cookie = await signIn(base)
      const headers = side === 'before' ? { cookie } : bearer(await tokenOf(base, cookie))
      const done = await become?.(base, cookie)
      if (done?.ok === false) throw new Error(`${title}: ${done.status} ${await done.text()}`)
      return { headers }
    },
  }
}

/** A route that wants somebody who is signed in. */
export const SIGNED_IN: readonly Asked<LoginWorld>[] = [
  session('somebody who is signed in'),
  session('somebody who has signed out since', (base, cookie) => post(base, 'sign-out', {}, cookie)),
  session('somebody whose user was deleted since', (base, cookie) =>
    post(base, 'delete-user', { password: PASSWORD }, cookie),
  ),
  plain('nobody', {}),
  BODY,
  plain('a token that is none', bearer('not-a-token')),
]

/** A route that takes visitors, too. */
export const VISITORS: readonly Asked<LoginWorld>[] = [
  session('somebody who is signed in'),
  plain('nobody', {}),
  plain('a token that is none', bearer('not-a-token')),
]
