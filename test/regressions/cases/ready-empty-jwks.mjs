/** A Supabase project that still signs by its secret publishes an empty JWK Set. A service that knows the secret is ready. */
import { claimsOf, dep, listen, load, verdict, within } from './lib.mjs'

within(60)
const { createJwtVerifier, supabase } = await load('index')
const { SignJWT } = await dep('jose')
const { url, server } = await listen((_, res) => res.setHeader('content-type', 'application/json').end('{"keys":[]}'))
const secret = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const verifier = createJwtVerifier({ issuers: [supabase({ url, secret })] })
await verifier.warmUp()
const token = await new SignJWT(claimsOf(`${url}/auth/v1`))
  .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
  .sign(new TextEncoder().encode(secret))
const known = await verifier.verify(token).then(
  ({ subject }) => subject,
  (error) => error.reason,
)
const isReady = verifier.isReady()
verifier.close()
server.close()
verdict(known === 'user-1' && isReady, `an HS256 token: ${known}; isReady(): ${isReady}`)
