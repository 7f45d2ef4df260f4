/** Ironflow's variables, its first boot, and its server on Hono. */
import type { Server } from 'node:http'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { AuthError } from 'sallyport'
import { createAdapter } from 'sallyport/hono'
import { type FirstAdminOptions, forwardedAddress, loadSigningSecret } from 'sallyport/login'
import { closing, listen, type Running } from '../start/run.ts'
import { type Environment, isSettingsError, readSettings, type Settings, settingsError } from '../start/settings.ts'
import { createIronflow, type Entry, type Ironflow } from './auth.ts'
import { readConfiguredSecret } from './config.ts'
import { dashboardRoutes } from './dashboard.ts'
import { routesOfIronflow } from './routes.ts'
import { type IronflowStorage, openStorage, secretFolderOf } from './storage.ts'

type Announce = FirstAdminOptions['announce']

const DEV =
  'dev mode: nobody logs in and everybody is the admin; never put it behind a proxy or a tunnel: one that adds no header can not be seen'

const ADMIN_EMAIL = 'admin@ironflow.local'

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
    return orStop(
      { ...running, notes: dev ? [DEV] : [] },
      ironflow.login.createFirstAdmin({ email: ADMIN_EMAIL, announce }),
    )
  })
}

async function orStop(running: Running, rest: Promise<unknown>): Promise<Running> {
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
    // No session is issued or read here: any secret does.
    const { login } = createIronflow({ secret: crypto.getRandomValues(new Uint8Array(32)) }, storage)
    await login.resetAdmin({ email: ADMIN_EMAIL, announce })
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
  settings.refuse(['IRONFLOW_PUBLIC_URL', 'IRONFLOW_TRUSTED_PROXIES'], 'in dev mode nobody but this machine may come')
  return { nodeEnv }
}

// Behind a proxy both are known: where Ironflow is reached, and whose address a client's is.
function loginEntry(settings: Settings): Pick<Entry, 'publicUrl' | 'clientAddress'> {
  const publicUrl = settings.text('IRONFLOW_PUBLIC_URL')
  const proxies = settings.text('IRONFLOW_TRUSTED_PROXIES')
  if (publicUrl === undefined && proxies === undefined) return {}
  if (publicUrl === undefined) throw settingsError('IRONFLOW_TRUSTED_PROXIES needs IRONFLOW_PUBLIC_URL too')
  if (proxies === undefined) {
    throw settingsError('IRONFLOW_PUBLIC_URL needs IRONFLOW_TRUSTED_PROXIES too: how many proxies there are, or none')
  }
  return { publicUrl, clientAddress: proxies === 'none' ? noAddress() : addressBehind(proxies) }
}

function noAddress(): () => null {
  warn('IRONFLOW_TRUSTED_PROXIES is none: failed logins are counted by account only, by no address')
  return () => null
}

function addressBehind(proxies: string): ReturnType<typeof forwardedAddress> {
  const hops = /^\d{1,2}$/.test(proxies) ? Number(proxies) : 0
  if (hops < 1 || hops > 16)
    throw settingsError('IRONFLOW_TRUSTED_PROXIES must be a whole number from 1 to 16, or none')
  const onWarning = () =>
    warn(
      `a request had no address of ${proxies} IRONFLOW_TRUSTED_PROXIES in X-Forwarded-For: its peer's address counts`,
    )
  return forwardedAddress({ hops, onWarning })
}

function warn(sentence: string): void {
  console.warn(`ironflow: ${sentence}`)
}

async function loadSecret(settings: Settings, environment: Environment): Promise<Uint8Array> {
  const config = settings.text('IRONFLOW_CONFIG')
  const configured = config === undefined ? undefined : readConfiguredSecret(config, environment)
  const given = settings.text('IRONFLOW_JWT_SECRET')
  const hex = given ?? configured?.()
  const name = given === undefined ? 'IRONFLOW_CONFIG: spec.auth.jwtSecret' : 'IRONFLOW_JWT_SECRET'
  const file = join(secretFolderOf(settings), '.ironflow_jwt_secret')
  try {
    return await loadSigningSecret({ hex, file, onWarning: warn })
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
