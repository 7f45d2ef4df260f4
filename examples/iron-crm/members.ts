/** Who belongs to an organization: members, invitations. Owners are made and removed by owners only. */
import type { Router } from 'express'
import { AuthError, pathParam, uuidFormat } from 'sallyport'
import { type Adapter, readJson } from 'sallyport/express'
import * as z from 'zod'
import { email, text } from '../start/fields.ts'
import { orConflict } from '../store/conflict.ts'
import { type Iron, type IronTypes, ROLES } from './auth.ts'

const role = z.enum(ROLES)
const NewMember = z.object({ user_id: text.transform(canonical), role })
const NewInvitation = z.object({ email, role })

/** Mount the routes. */
export function mountMembers(app: Router, { auth, storage }: Iron, { protect }: Adapter<IronTypes>): void {
  const inPath = [pathParam('id')]
  const requireAdmin = auth.requireRole('admin')
  const requireOwner = auth.requireRole('owner')

  app.post(
    '/api/v1/orgs/:id/members',
    protect({ selectors: inPath, role: 'admin' }, async (context, req, res) => {
      const { user_id: userId, role } = await readJson(req, NewMember)
      if (role === 'owner') requireOwner(context)
      const user = await storage.users.findById(userId)
      if (user === null || user.disabled) throw new AuthError('not_found')
      await orConflict(storage.memberships.insert({ orgId: context.org.id, userId, role }))
      res.status(201).json({ member: { id: userId, user_id: userId, role } })
    }),
  )

  app.delete(
    '/api/v1/orgs/:id/members/:userId',
    protect({ selectors: inPath }, async (context, req, res) => {
      const userId = canonical((req.params as { userId: string }).userId)
      const leaving = userId === context.user.id
      if (!leaving) requireAdmin(context)
      await storage.transaction(async ({ memberships }) => {
        const member = await memberships.find(context.org.id, userId)
        if (member?.role === 'owner' && !leaving) requireOwner(context)
        const change = await memberships.remove(context.org.id, userId, { keep: 'owner' })
        if (change === 'missing') throw new AuthError('not_found')
        if (change === 'last') throw new AuthError('conflict')
      })
      res.status(204).end()
    }),
  )

  app.post(
    '/api/v1/invitations',
    protect({ role: 'admin' }, async (context, req, res) => {
      const { email, role } = await readJson(req, NewInvitation)
      if (role === 'owner') requireOwner(context)
      const invitation = await orConflict(
        storage.invitations.insert(newInvitation({ orgId: context.org.id, email, role })),
      )
      res.status(201).json({ invitation: { id: invitation.id, email: invitation.email, role } })
    }),
  )
}

// One user has one id, in whatever case it is written.
function canonical(id: string): string {
  return uuidFormat(id) ?? id
}

function newInvitation(invitation: { orgId: string; email: string; role: string }) {
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + 604_800_000)
  return { ...invitation, invitedBy: null, createdAt, expiresAt, secretHash: null }
}
