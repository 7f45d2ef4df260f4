/** What more a runtime must do that has `node:crypto`: a local login, from the first admin to a session. */
import { Hono } from 'hono'
import { createAuth, createUserOrgResolver } from 'sallyport'
import { createAdapter } from 'sallyport/hono'
import { createLogin } from 'sallyport/login'
import { createMemoryAccounts } from 'sallyport/memory'

const API = 'https://dashboard.example/api/v1'

/** Log in. */
export async function logIn(same) {
  const storage = createMemoryAccounts()
  const roles = ['viewer', 'admin']
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const clientAddress = () => '192.0.2.1'
  const login = createLogin({ storage, roles, service: 'smoke', secret, publicUrl: API, clientAddress })
  let admin
  await login.createFirstAdmin({ email: 'admin@example.com', announce: (made) => (admin = made) })
  const memberships = { findActing: async () => ({ org: { id: 'acme' }, role: 'admin' }), listActing: async () => [] }
  const auth = createAuth({ roles, ...login.auth, orgs: createUserOrgResolver({ memberships, orgIdOf: () => 'acme' }) })
  const app = new Hono()
  createAdapter(auth).mount(app, login.routes)
  const post = (email, password) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ email, password })
    return app.request(`${API}/auth/login`, { method: 'POST', headers, body })
  }
  same('a wrong password', (await post(admin.email, 'not the right one')).status, 401)
  const answer = await post(admin.email, admin.password)
  same('the right one', answer.status, 200)
  const headers = { authorization: `Bearer ${(await answer.json()).token}` }
  same('its session', (await app.request(`${API}/auth/validate`, { headers })).status, 200)
}
