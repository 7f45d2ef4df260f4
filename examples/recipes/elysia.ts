import { Elysia } from 'elysia'
import { readJson } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { protect } from './fetch.ts'

const me = protect({}, ({ user, org, role }) => Response.json({ user: user.email, org: org.name, role }))
const add = protect({ role: 'admin' }, async ({ org }, request) =>
  Response.json({ added: await readJson(fromFetchRequest(request)), to: org.name }),
)

export const app = new Elysia()
  .get('/api/me', ({ request }) => me(request))
  .post('/api/contacts', ({ request }) => add(request), { parse: 'none' }) // the body is read once they are let in
  .listen(process.env.PORT ?? 3000)
