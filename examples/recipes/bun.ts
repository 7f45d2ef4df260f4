import { protect } from './fetch.ts'

const me = protect({}, ({ user, org, role }) => Response.json({ user: user.email, org: org.name, role }))

export default { port: process.env.PORT ?? 3000, fetch: me }
