/**
 * Behind a proxy that nobody named all clients have one address. Fifty wrong passwords of one stranger must not keep
 * everybody else out: refuse such a configuration at start, or don't count by an address that is the proxy's.
 */
import { dep, listen, load, verdict, within } from './lib.mjs'

within(120)
const { createAuth, createUserOrgResolver } = await load('index')
const { createMemoryAccounts } = await load('memory')
const { createLogin } = await load('login')
const { createAdapter } = await load('express')
const { default: express } = await dep('express')
const roles = ['viewer', 'admin']
const storage = createMemoryAccounts()
let password = ''
let login
try {
  // A public URL says that there is a proxy; whose address is the client's, nothing says.
  login = createLogin({
    storage,
    roles,
    service: 'acme-dashboard',
    secret: crypto.getRandomValues(new Uint8Array(32)),
    publicUrl: 'https://app.example.test',
  })
} catch (error) {
  verdict(error instanceof TypeError && /clientAddress/.test(error.message), error.message)
}
await login.createFirstAdmin({ email: 'admin@example.test', announce: (made) => (password = made.password) })
const source = { listActing: async () => [], findActing: async () => null }
const auth = createAuth({
  roles,
  ...login.auth,
  orgs: createUserOrgResolver({ memberships: source, orgIdOf: () => 'acme' }),
})
const app = express()
const { mount, onError } = createAdapter(auth)
mount(app, login.routes)
app.use(onError)
const { server, url } = await listen(app)
const logIn = async (email, text, client) => {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': client, 'x-forwarded-proto': 'https' }
  return (
    await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ email, password: text }),
    })
  ).status
}
let refused = 0
for (let i = 0; i < 52; i++)
  if ((await logIn(`nobody${i}@example.test`, 'not-the-password-at-all', '203.0.113.9')) === 429) refused += 1
const admin = await logIn('admin@example.test', password, '198.51.100.7')
server.close()
verdict(
  admin === 200,
  `of 52 wrong ones of a stranger ${refused} were refused unread; then the admin, elsewhere, with the right password: ${admin}`,
)
