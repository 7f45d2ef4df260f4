/** Iron's variables, and its server on Express. */
import { createServer, type Server } from 'node:http'
import express from 'express'
import { AuthError, jsonResponse } from 'sallyport'
import { createAdapter } from 'sallyport/express'
import { closing, listen, type Running } from '../start/run.ts'
import { type Environment, readSettings } from '../start/settings.ts'
import { openStore } from '../store/store.ts'
import { createIron, type Iron, TABLES } from './auth.ts'
import { mountCrm } from './crm.ts'

/** Start Iron. */
export async function startIron(environment: Environment): Promise<Running> {
  const settings = readSettings(environment)
  const options = {
    supabaseUrl: settings.text('SUPABASE_URL'),
    jwtSecret: settings.text('SUPABASE_JWT_SECRET'),
    jwtIssuer: settings.text('AUTH_JWT_ISSUER'),
    confirmsEmails: settings.choice('SUPABASE_CONFIRMS_EMAILS', ['true', 'false'], 'true') === 'true',
    serviceSecret: settings.text('IRON_CRM_SECRET'),
  }
  const store = await openStore(settings, { app: 'iron-crm', tables: TABLES, membershipOn: 'rows' })
  return closing(store, async () => {
    const iron = settings.judge(VARIABLES, () => createIron(options, store))
    return listen(createApp(iron), settings, 3001, iron.auth.close)
  })
}

const VARIABLES = {
  url: 'SUPABASE_URL',
  secret: 'SUPABASE_JWT_SECRET',
  issuer: 'AUTH_JWT_ISSUER',
  secrets: 'IRON_CRM_SECRET',
}

function createApp(iron: Iron): Server {
  const { storage, tables } = iron
  const app = express()
  app.disable('x-powered-by')
  const adapter = createAdapter(iron.auth)
  const { mount, middleware, protect, onError } = adapter

  mount(app, [{ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, { status: 'ok' }) }])
  // Below this path nobody learns anything without a token, not even which routes there are.
  app.use('/api/v1', middleware({ needs: 'identity' }))
  app.get(
    '/api/v1/me',
    protect(async (context, _req, res) => {
      const { user, org, role } = context
      const [tenant] = await tables.tenants.of(context).list()
      res.json({
        user: { id: user.id, email: user.email },
        org: { id: org.id, name: org.name },
        member: { role },
        tenant: { id: tenant?.id },
      })
    }),
  )
  app.get(
    '/api/v1/orgs',
    protect({ needs: 'user' }, async ({ user }, _req, res) => {
      const acting = await storage.memberships.listActing({ kind: 'user', user })
      res.json({ orgs: acting.map(({ org, role }) => ({ id: org.id, name: org.name, role })) })
    }),
  )
  mount(app, iron.peopleRoutes)
  mountCrm(app, iron, adapter)
  app.use(() => {
    throw new AuthError('not_found')
  })
  app.use(onError)
  return createServer(app)
}
