/** Intello's variables, and its server on Koa. */
import { createServer, type Server } from 'node:http'
import Koa from 'koa'
import { AuthError } from 'sallyport'
import { createAdapter } from 'sallyport/koa'
import { closing, listen, type Running } from '../start/run.ts'
import { type Environment, readSettings } from '../start/settings.ts'
import { openStore } from '../store/store.ts'
import { createIntello, type Intello, TABLES } from './auth.ts'
import { routesOfIntello } from './routes.ts'

/** Start Intello. */
export async function startIntello(environment: Environment): Promise<Running> {
  const settings = readSettings(environment)
  const options = {
    supabaseUrl: settings.required('SUPABASE_URL'),
    jwtIssuer: settings.text('AUTH_JWT_ISSUER'),
    confirmsEmails: settings.choice('SUPABASE_CONFIRMS_EMAILS', ['true', 'false'], 'true') === 'true',
    jwtAudience: settings.text('AUTH_JWT_AUDIENCE') ?? 'authenticated',
    platformApiKey: settings.text('PLATFORM_API_KEY'),
    apiKeys: settings.choice('API_KEYS', ['on', 'off'], 'on') === 'on',
  }
  const store = await openStore(settings, { app: 'intello', tables: TABLES, membershipOn: 'user-row' })
  return closing(store, async () => {
    const intello = settings.judge(VARIABLES, () => createIntello(options, store))
    return listen(createApp(intello), settings, 3002, intello.auth.close)
  })
}

const VARIABLES = {
  url: 'SUPABASE_URL',
  issuer: 'AUTH_JWT_ISSUER',
  audience: 'AUTH_JWT_AUDIENCE',
  secrets: 'PLATFORM_API_KEY',
}

function createApp(intello: Intello): Server {
  const app = new Koa()
  const { mount, middleware, onError } = createAdapter(intello.auth)
  const requireUser = middleware({ needs: 'user' })

  app.use(onError)
  mount(app, routesOfIntello(intello))
  // Below /api nobody learns anything before they are synced, not even which routes there are.
  app.use((ctx, next) => (/^\/api(\/|$)/i.test(ctx.path) ? requireUser(ctx, next) : next()))
  app.use(() => {
    throw new AuthError('not_found')
  })
  return createServer(app.callback())
}
