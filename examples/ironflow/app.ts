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
import { dashboardRoutes } from './dashboard.ts'
import { routesOfIronflow } from './routes.ts'
import { type IronflowStorage, openStorage, secretFolderOf } from './storage.ts'

type Announce = FirstAdminOptions['announce']

const VARIABLES = { publicUrl: 'IRONFLOW_PUBLIC_URL' }

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
  const entry = dev ? devEntry(settings, environment) : loginEntry(settings)
  const secret = await loadSecret(settings, environment)
  const storage = await openStorage(settings)
  return closing(storage, async () => {
    const ironflow = settings.judge(VARIABLES, () => createIronflow({ ...entry, secret }, storage))
    // First: a port that is taken must not cost the password that is said once.
    const running = await listen(createApp(ironflow, storage), settings, 3003, ironflow.auth.close)
    return orStop(running, bootstrapAdmin(storage, announce))
  })
}

async function orStop(running: Running, rest: Promise<void>): Promise<Running> {
  try {
    await rest
    return running
  } catch (error) {
    await running.stop()
    throw error
  }
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
function devEntry(settings: Settings, { NODE_ENV: nodeEnv }: Environment): Pick<Entry, 'nodeEnv'> {
  if (nodeEnv !== 'development' && nodeEnv !== 'test') {
    throw settingsError('--dev needs NODE_ENV to be exactly development or test')
  }
  settings.refuse(['IRONFLOW_PUBLIC_URL'], 'in dev mode nobody but this machine may come')
  return { nodeEnv }
}

function loginEntry(settings: Settings): Pick<Entry, 'publicUrl'> {
  const publicUrl = settings.text('IRONFLOW_PUBLIC_URL')
  return publicUrl === undefined ? {} : { publicUrl }
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
  const { mount, protect, onError } = createAdapter(ironflow.auth)
  const nothing = (): never => {
    throw new AuthError('not_found')
  }
  app.onError(onError)
  mount(app, [...routesOfIronflow(ironflow, storage), ...dashboardRoutes(ironflow.auth)])
  // Through the door too, as everything here: in dev mode nobody else gets as much as a 404.
  app.all('*', protect('public', nothing))
  // What has no `Host` is for us to refuse.
  return createAdaptorServer({ fetch: app.fetch, hostname: 'localhost' }) as Server
}
