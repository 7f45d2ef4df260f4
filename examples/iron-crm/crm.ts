/** What Iron is for: contacts, pipelines and bookings of the acting organization. */
import type { Router } from 'express'
import { isText, readField } from 'sallyport'
import { type Adapter, readJson } from 'sallyport/express'
import { type OrgRow, present } from '../store/org-table.ts'
import type { Iron, IronTypes } from './auth.ts'

/** Mount the routes. */
export function mountCrm(app: Router, { auth, tables }: Iron, { middleware, protect }: Adapter<IronTypes>): void {
  const { contacts, pipelines, bookings } = tables

  const signedIn = middleware()
  app.use('/api/v1/contacts', signedIn)
  app.get('/api/v1/contacts', async (req, res) => {
    res.json({ contacts: (await contacts.of(signedIn.getAuth(req)).list()).map(present) })
  })
  app.post('/api/v1/contacts', async (req, res) => {
    const name = readField(await readJson(req), 'name', isText)
    res.status(201).json({ contact: present(await contacts.of(signedIn.getAuth(req)).insert(name)) })
  })
  app.get('/api/v1/contacts/:id', async (req, res) => {
    res.json({ contact: present(await contacts.of(signedIn.getAuth(req)).find(req.params.id)) })
  })
  app.delete('/api/v1/contacts/:id', async (req, res) => {
    await contacts.of(signedIn.getAuth(req)).remove(req.params.id)
    res.status(204).end()
  })

  app.get(
    '/api/v1/pipelines',
    protect(async (context, _req, res) => {
      res.json({ pipelines: (await pipelines.of(context).list()).map(present) })
    }),
  )

  app.get(
    '/api/v1/bookings',
    protect(async (context, _req, res) => {
      res.json({ bookings: (await bookings.of(context).list()).map(toBooking) })
    }),
  )
  app.post(
    '/internal/bookings',
    protect({ accept: ['service:iron-crm'] }, async (context, req, res) => {
      const body = await readJson(req)
      const orgId = readField(body, 'org_id', isString)
      const title = readField(body, 'title', isText)
      const booking = await bookings.of(await auth.actIn(context, orgId)).insert(title)
      res.status(201).json({ booking: toBooking(booking) })
    }),
  )
}

function toBooking({ id, orgId, name }: OrgRow): { id: string; org_id: string; title: string } {
  return { id, org_id: orgId, title: name }
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
