/**
 * The variables of the examples: what is wrong is one sentence that names the variable, never its value, and nothing starts.
 * That such a sentence ends the process with exit code 1 is shown by iron.test.ts and intello.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startIntello } from '../../examples/intello/app.ts'
import { startIron } from '../../examples/iron-crm/app.ts'
import { startQuickstart } from '../../examples/quickstart/app.ts'
import type { Running } from '../../examples/start/run.ts'
import type { Environment } from '../../examples/start/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-variables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const APPS = {
  iron: startIron,
  intello: startIntello,
  quickstart: (environment: Environment) => startQuickstart('hono', environment),
}

const SECRET = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const URL_TEXT = 'https://abc.example.test'

async function start(app: keyof typeof APPS, environment: Environment): Promise<string> {
  let running: Running
  try {
    running = await APPS[app]({
      PORT: '0',
      ...(app === 'quickstart' ? {} : { DATA_DIR: join(folder, app) }),
      ...environment,
    })
  } catch (error) {
    expect(error).toMatchObject({ name: 'SettingsError' })
    const { message } = error as Error
    expect(message).not.toContain(SECRET)
    return message
  }
  await running.stop()
  return 'started'
}

const CASES: readonly [keyof typeof APPS, Environment, RegExp][] = [
  ['iron', { SUPABASE_URL: URL_TEXT }, /^started$/],
  ['iron', { SUPABASE_URL: URL_TEXT, SUPABASE_CONFIRMS_EMAILS: 'true' }, /^started$/],
  ['iron', { SUPABASE_URL: URL_TEXT, SUPABASE_CONFIRMS_EMAILS: 'false' }, /^started$/],
  ['iron', { SUPABASE_JWT_SECRET: SECRET, AUTH_JWT_ISSUER: URL_TEXT }, /^started$/],
  ['iron', {}, /SUPABASE_URL.*SUPABASE_JWT_SECRET/],
  ['iron', { AUTH_JWT_ISSUER: URL_TEXT }, /SUPABASE_URL.*SUPABASE_JWT_SECRET/],
  ['iron', { SUPABASE_JWT_SECRET: SECRET }, /AUTH_JWT_ISSUER.*SUPABASE_URL/],
  ['iron', { SUPABASE_URL: URL_TEXT, AUTH_JWT_ISSUER: '' }, /AUTH_JWT_ISSUER.*empty/],
  ['iron', { SUPABASE_URL: `${URL_TEXT}/auth/v1` }, /SUPABASE_URL/],
  ['iron', { SUPABASE_URL: `${URL_TEXT}\n` }, /SUPABASE_URL.*white space/],
  ['iron', { SUPABASE_URL: URL_TEXT, SUPABASE_JWT_SECRET: `${SECRET}\r` }, /SUPABASE_JWT_SECRET.*white space/],
  ['iron', { SUPABASE_URL: URL_TEXT, SUPABASE_JWT_SECRET: `"${SECRET}"` }, /SUPABASE_JWT_SECRET.*quotes/],
  ['iron', { SUPABASE_URL: URL_TEXT, SUPABASE_JWT_SECRET: 'short' }, /SUPABASE_JWT_SECRET.*32 bytes/],
  ['iron', { SUPABASE_URL: URL_TEXT, IRON_CRM_SECRET: '' }, /IRON_CRM_SECRET.*empty/],
  ['iron', { SUPABASE_URL: URL_TEXT, IRON_CRM_SECRET: ' ' }, /IRON_CRM_SECRET.*empty/],
  ['iron', { SUPABASE_URL: URL_TEXT, IRON_CRM_SECRET: `${SECRET}\n` }, /IRON_CRM_SECRET.*white space/],
  ...['yes', '1', 'TRUE', '', 'true '].map((value): [keyof typeof APPS, Environment, RegExp] => [
    'iron',
    { SUPABASE_URL: URL_TEXT, SUPABASE_CONFIRMS_EMAILS: value },
    /SUPABASE_CONFIRMS_EMAILS/,
  ]),
  ['intello', { SUPABASE_URL: URL_TEXT, SUPABASE_CONFIRMS_EMAILS: 'false' }, /^started$/],
  ['intello', { SUPABASE_URL: URL_TEXT, SUPABASE_CONFIRMS_EMAILS: 'no' }, /SUPABASE_CONFIRMS_EMAILS/],
  ['intello', { SUPABASE_URL: URL_TEXT, AUTH_JWT_AUDIENCE: '' }, /AUTH_JWT_AUDIENCE/],
  ['intello', { AUTH_JWT_ISSUER: URL_TEXT }, /SUPABASE_URL/],
  ['intello', { SUPABASE_URL: URL_TEXT, PLATFORM_API_KEY: 'short' }, /PLATFORM_API_KEY/],
  ['quickstart', {}, /^started$/],
  ['quickstart', { ISSUER: URL_TEXT, JWT_SECRET: SECRET, CLOCK_TOLERANCE: '0' }, /^started$/],
  ['quickstart', { ISSUER: URL_TEXT }, /JWKS_URL.*JWT_SECRET/],
  ['quickstart', { ISSUER: URL_TEXT, JWKS_URL: 'http://keys.example.test' }, /JWKS_URL/],
  ['quickstart', { ISSUER: URL_TEXT, JWT_SECRET: SECRET, CLOCK_TOLERANCE: '301' }, /CLOCK_TOLERANCE/],
  ['quickstart', { ISSUER: URL_TEXT, JWT_SECRET: SECRET, CLOCK_TOLERANCE: '-1' }, /CLOCK_TOLERANCE/],
  ['quickstart', { ISSUER: `'${URL_TEXT}'`, JWT_SECRET: SECRET }, /ISSUER.*quotes/],
]

// No title holds the secret: a title is printed.
const TITLED = CASES.map(
  ([app, environment, expected]) =>
    [app, JSON.stringify(environment).replaceAll(SECRET, 'a secret'), expected, environment] as const,
)

it.each(TITLED)('%s with %s: %s', async (app, _shown, expected, environment) => {
  expect(await start(app, environment)).toMatch(expected)
})
