/** HTTP/2 has no Host but :authority. A login from the own origin is no cross-site request there either (h2c on loopback). */
import { connect, createServer } from 'node:http2'
import { dep, listen, load, verdict, within } from './lib.mjs'

within(60)
const { createAuth, createUserOrgResolver } = await load('index')
const { createMemoryAccounts } = await load('memory')
const { createLogin } = await load('login')
const { createAdapter } = await load('koa')
const { default: Koa } = await dep('koa')
const roles = ['viewer', 'admin']
const storage = createMemoryAccounts()
let password = ''
const login = createLogin({
  storage,
  roles,
  service: 'acme-dashboard',
  secret: crypto.getRandomValues(new Uint8Array(32)),
})
await login.createFirstAdmin({ email: 'admin@example.test', announce: (made) => (password = made.password) })
const source = { listActing: async () => [], findActing: async () => null }
const auth = createAuth({
  roles,
  ...login.auth,
  orgs: createUserOrgResolver({ memberships: source, orgIdOf: () => 'acme' }),
})
const app = new Koa()
const { mount, onError } = createAdapter(auth)
app.use(onError)
mount(app, login.routes)
const { server, url } = await listen(null, createServer(app.callback()))
const client = connect(url)
const ask = (origin) =>
  new Promise((done) => {
    const stream = client.request({
      ':method': 'POST',
      ':path': '/api/v1/auth/login',
      'content-type': 'application/json',
      origin,
    })
    stream.on('response', (headers) => done(headers[':status']))
    stream.on('error', () => done('error'))
    stream.end(JSON.stringify({ email: 'admin@example.test', password }))
  })
const own = await ask(url)
const other = await ask('http://other.example.test')
client.destroy()
server.close()
verdict(own === 200 && other === 403, `own origin ${own}, another origin ${other}`)
