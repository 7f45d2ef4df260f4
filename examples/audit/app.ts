/** A small app on Hono with every kind of caller, whose every decision goes to the audit log. */
import { Hono } from 'hono'
import { createAuth, createRoles, createServiceVerifier, type IssuerOptions } from 'sallyport'
import { type ApiKeys, createApiKeys } from 'sallyport/api-keys'
import { createAdapter, readJson } from 'sallyport/hono'
import type { ApiKeyRepository } from 'sallyport/storage'
import * as z from 'zod'
import { text } from '../start/fields.ts'
import type { AppStorage } from '../store/store.ts'
import { createAuditLog } from './audit-log.ts'

/** What the app is made of. */
export interface AuditedOptions {
  readonly storage: AppStorage & { readonly apiKeys: ApiKeyRepository }
  readonly issuers: readonly IssuerOptions[]
  readonly serviceSecret: string
  /** Where the lines go. */
  readonly write: (line: string) => void
}

/** The app, and the keys of its organizations. */
export interface AuditedApp {
  readonly app: Hono
  readonly apiKeys: ApiKeys
}

/** Make the app. */
export function createAuditedApp({ storage, issuers, serviceSecret, write }: AuditedOptions): AuditedApp {
  const roles = createRoles(['member', 'admin'], { 'notes:read': 'member', 'notes:write': 'member' })
  const log = createAuditLog(write)
  const apiKeys = createApiKeys({
    storage,
    prefix: 'audit',
    roles,
    defaultPermissions: ['notes:read'],
    onEvent: log.happened,
  })
  const auth = createAuth({
    issuers,
    storage,
    roles,
    apiKeys,
    services: createServiceVerifier({
      services: { telephony: { header: 'X-Service-Secret', secrets: [serviceSecret] } },
    }),
    onDecision: log.decided,
  })

  const app = new Hono()
  const { mount, protect } = createAdapter(auth)
  const accept = ['user', 'apiKey'] as const
  mount(app, apiKeys.routes({ role: 'admin' }))
  app.get(
    '/notes',
    protect({ accept, permissions: ['notes:read'] }, ({ org }, c) => c.json({ org: org.id })),
  )
  app.post(
    '/notes',
    protect({ accept, permissions: ['notes:write'] }, ({ org }, c) => c.json({ org: org.id }, 201)),
  )
  app.post(
    '/internal/notes',
    protect({ accept: ['service:telephony'] }, async (context, c) => {
      const { org_id: orgId } = await readJson(c, z.object({ org_id: text }))
      const { org } = await auth.actIn(context, orgId)
      return c.json({ org: org.id }, 201)
    }),
  )
  return { app, apiKeys }
}
