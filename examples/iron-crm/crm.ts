/** What Iron is for: contacts, pipelines and bookings of the acting organization. */
import type { Router } from 'express'
import { type Adapter, readJson } from 'sallyport/express'
import * as z from 'zod'
import { text } from '../start/fields.ts'
import { type OrgRow, present } from '../store/org-table.ts'
import type { Iron, IronTypes } from './auth.ts'

const NewContact = z.object({ name: text })
const NewBooking = z.object({ org_id: z.string(), title: text })

/** Mount the routes. */
export function mountCrm(app: Router, { auth, tables }: Iron, { middleware, protect }: Adapter<IronTypes>): void {
  const { contacts, pipelines, bookings } = tables

  const signedIn = middleware()
  app.use('/api/v1/contacts', signedIn)
  app.get('/api/v1/contacts', async (req, res) => {
    res.json({ contacts: (await contacts.of(signedIn.getAuth(req)).list()).map(present) })
  })
  app.post('/api/v1/contacts', async (req, res) => {
    const { name } = await readJson(req, NewContact)
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
      const { org_id: orgId, title } = await readJson(req, NewBooking)
      const booking = await bookings.of(await auth.actIn(context, orgId)).insert(title)
      res.status(201).json({ booking: toBooking(booking) })
    }),
  )
}

function toBooking({ id, orgId, name }: OrgRow): { id: string; org_id: string; title: string } {
  return { id, org_id: orgId, title: name }
}
