/** What Iron is for: contacts, pipelines and bookings of the acting organization. */
import type { Router } from 'express'
import { AuthError, isText, readField } from 'sallyport'
import { type Adapter, readJson } from 'sallyport/express'
import { orgRow, present } from '../tables/org-table.ts'
import type { Iron, IronTypes } from './auth.ts'

/** Mount the routes. */
export function mountCrm(
  app: Router,
  { auth, tables }: Iron,
  { middleware, getAuth, protect }: Adapter<IronTypes>,
): void {
  const { contacts, pipelines, bookings } = tables

  app.use('/api/v1/contacts', middleware())
  app.get('/api/v1/contacts', (req, res) => {
    res.json({ contacts: contacts.list(getAuth(req).org.id).map(present) })
  })
  app.post('/api/v1/contacts', async (req, res) => {
    const contact = orgRow(getAuth(req).org.id, readField(await readJson(req), 'name', isText))
    contacts.insert(contact)
    res.status(201).json({ contact: present(contact) })
  })
  app.get('/api/v1/contacts/:id', (req, res) => {
    const contact = contacts.find(getAuth(req).org.id, req.params.id)
    if (contact === null) throw new AuthError('not_found')
    res.json({ contact: present(contact) })
  })
  app.delete('/api/v1/contacts/:id', (req, res) => {
    if (!contacts.remove(getAuth(req).org.id, req.params.id)) throw new AuthError('not_found')
    res.status(204).end()
  })

  app.get(
    '/api/v1/pipelines',
    protect({}, ({ org }, _req, res) => res.json({ pipelines: pipelines.list(org.id).map(present) })),
  )

  app.get(
    '/api/v1/bookings',
    protect({}, ({ org }, _req, res) => res.json({ bookings: bookings.list(org.id).map(toBooking) })),
  )
  app.post(
    '/internal/bookings',
    protect({ accept: ['service:iron-crm'] }, async (context, req, res) => {
      const body = await readJson(req)
      const orgId = readField(body, 'org_id', isString)
      const title = readField(body, 'title', isText)
      const { org } = await auth.actAs(context, orgId)
      const booking = orgRow(org.id, title)
      bookings.insert(booking)
      res.status(201).json({ booking: toBooking(booking) })
    }),
  )
}

function toBooking({ id, orgId, name }: ReturnType<typeof orgRow>): { id: string; org_id: string; title: string } {
  return { id, org_id: orgId, title: name }
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
