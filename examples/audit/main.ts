/** `node --import tsx examples/audit/main.ts`: callers of every kind come by; the audit log goes to the screen. */
import { createTestKit } from 'sallyport/testing'
import { createAuditedApp } from './app.ts'

const serviceSecret = crypto.randomUUID()
const { issuers, storage, signIn } = await createTestKit()
const { app } = createAuditedApp({ storage, issuers, serviceSecret, write: (line) => console.log(line) })

const ask = (line: string, headers: Readonly<Record<string, string>>, body?: object): Promise<Response> | Response => {
  const [method = '', path = ''] = line.split(' ')
  const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
  return app.request(path, { method, headers: typed, ...(body !== undefined && { body: JSON.stringify(body) }) })
}
const made = async (answer: Response | Promise<Response>): Promise<{ readonly id: string; readonly key: string }> =>
  (await (await answer).json()).data

const [ada, bob] = [await signIn({ org: 'acme', role: 'admin' }), await signIn({ org: 'other', role: 'member' })]
const org_id = ada.org?.id ?? ''
const service = { 'x-service-secret': serviceSecret }

// Users: let in, an organization of somebody else, a role too low, nobody at all.
await ask('GET /notes', ada.headers)
await ask('GET /notes', { ...bob.headers, 'x-org-id': org_id })
await ask('POST /api/keys', bob.headers, { name: 'x' })
await ask('GET /notes', {})

// A key of the organization: let in, a scope it lacks, a route for users, revoked.
const { id, key } = await made(ask('POST /api/keys', ada.headers, { name: 'nightly' }))
const bearer = { authorization: `Bearer ${key}` }
await ask('GET /notes', bearer)
await ask('POST /notes', bearer)
await ask('GET /api/keys', bearer)
await ask(`DELETE /api/keys/${id}`, ada.headers)
await ask('GET /notes', bearer)
// What a handler refuses is a line more: nothing was changed there.
await ask(`POST /api/keys/${id}/rotate`, ada.headers)

// A service: let in and acting for the organization it names, one that is not there, a wrong secret, two credentials.
await ask('POST /internal/notes', service, { org_id })
await ask('POST /internal/notes', service, { org_id: crypto.randomUUID() })
await ask('POST /internal/notes', { 'x-service-secret': 'wrong' }, { org_id })
await ask('POST /internal/notes', { ...service, ...bearer }, { org_id })
