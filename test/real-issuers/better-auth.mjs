import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { listen } from './listen.mjs'

/** better-auth with its jwt plugin: people sign up by e-mail, and their session is exchanged for a JWT. */
export async function startBetterAuth(keyPairConfig) {
  let handle
  const { url, stop } = await listen((req, res) => handle(req, res))
  const auth = betterAuth({
    baseURL: url,
    secret: 'a-secret-of-better-auth-for-this-test-only',
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    plugins: [jwt({ jwks: { keyPairConfig } })],
  })
  handle = toNodeHandler(auth)
  return {
    issuer: url,
    stop,
    /** Sign somebody up: their JWT. */
    async signUp(email) {
      const response = await fetch(`${url}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url },
        body: JSON.stringify({ email, name: 'Ada', password: 'a-password-for-this-test' }),
      })
      if (!response.ok) throw new Error(`sign-up: ${response.status} ${await response.text()}`)
      const cookie = response.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ')
      const answer = await fetch(`${url}/api/auth/token`, { headers: { cookie } })
      return (await answer.json()).token
    },
  }
}
