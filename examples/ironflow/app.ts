/** Ironflow's variables, its first boot, and its server on Hono. */
import type { Server } from 'node:http'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { AuthError } from 'sallyport'
import { createAdapter } from 'sallyport/hono'
import { type FirstAdminOptions, loadSigningSecret } from 'sallyport/login'
import { closing, listen, type Running } from '../start/run.ts'
import { type Environment, isSettingsError, readSettings, type Settings, settingsError } from '../start/settings.ts'
import { bootstrapAdmin, createIronflow, type Entry, type Ironflow, resetPassword } from './auth.ts'
import { readConfiguredSecret } from './config.ts'
import { mountDashboard } from './dashboard.ts'
import { routesOfIronflow } from './routes.ts'
import { type IronflowStorage, openStorage, secretFolderOf } from './storage.ts'

type Announce = FirstAdminOptions['announce']

/** How to start. */
export interface IronflowStart {
  /** Nobody logs in: for development on this machine alone. */
  readonly dev?: boolean
  /** Told the first admin's password. Default: print it. */
  readonly announce?: Announce
}

/** Start Ironflow. */
export async function startIronflow(environment: Environment, start: IronflowStart = {}): Promise<Running> {
  const settings = readSettings(environment)
  const { dev = false, announce = printAs('created') } = start
  if (dev) requireDevelopment(environment)
  const secret = await loadSecret(settings, environment)
  const storage = await openStorage(settings)
  return closing(storage, async () => {
    const entry: Entry = dev ? { kind: 'dev', nodeEnv: environment.NODE_ENV } : { kind: 'login', secret }
    const ironflow = createIronflow(entry, storage)
    await bootstrapAdmin(storage, announce)
    return listen(createApp(ironflow, storage), settings, 3003, ironflow.auth.close)
  })
}

/** Give `admin@ironflow.local` a new password, beside running servers too. */
export async function resetIronflowAdmin(
  environment: Environment,
  announce: Announce = printAs('reset'),
): Promise<void> {
  const storage = await openStorage(readSettings(environment))
  try {
    await resetPassword(storage, announce)
  } finally {
    await storage.close()
  }
}

function printAs(what: string): Announce {
  return ({ email, password }) => console.log(`ironflow: ${email} ${what}, password: ${password}`)
}

// Said before anything is opened; what decides is the library, which is told the same value.
function requireDevelopment({ NODE_ENV }: Environment): void {
  if (NODE_ENV !== 'development' && NODE_ENV !== 'test') {
    throw settingsError('--dev needs NODE_ENV to be exactly development or test')
  }
}

async function loadSecret(settings: Settings, environment: Environment): Promise<Uint8Array> {
  const config = settings.text('IRONFLOW_CONFIG')
  const configured = config === undefined ? undefined : readConfiguredSecret(config, environment)
  const given = settings.text('IRONFLOW_JWT_SECRET')
  const hex = given ?? configured?.()
  const name = given === undefined ? 'IRONFLOW_CONFIG: spec.auth.jwtSecret' : 'IRONFLOW_JWT_SECRET'
  const file = join(secretFolderOf(settings), '.ironflow_jwt_secret')
  try {
    return await loadSigningSecret({ hex, file, onWarning: (sentence) => console.warn(`ironflow: ${sentence}`) })
  } catch (error) {
    if (isSettingsError(error)) throw error
    throw settingsError(String((error as Error).message).replace(/^.*option "hex"/, name))
  }
}

function createApp(ironflow: Ironflow, storage: IronflowStorage): Server {
  const app = new Hono()
  const { mount, onError } = createAdapter(ironflow.auth)
  app.onError(onError)
  app.notFound(() => {
    throw new AuthError('not_found')
  })
  mount(app, routesOfIronflow(ironflow, storage))
  mountDashboard(app)
  return createAdaptorServer(app) as Server
}
