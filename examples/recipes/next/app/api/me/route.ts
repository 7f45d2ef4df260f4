import { protect } from '../../../../fetch.ts'

export const GET = protect({}, ({ user, org, role }) => Response.json({ user: user.email, org: org.name, role }))
