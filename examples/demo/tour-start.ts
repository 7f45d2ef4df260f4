/** The tour of bad variables: each is one clear sentence, and nothing starts. */
import type { Environment } from '../start/settings.ts'
import type { Chapter, DeedStep } from './step.ts'
import { SYSTEMS } from './world.ts'

const URL_SENTENCE = 'must be an https URL; http is for loopback hosts only'
const SHORT = 'must be at least 32 bytes long'
const needsOneOf = (one: string, other: string): string =>
  `${one} is required without ${other} (got undefined: is the variable set?)`
const NO_URL = 'DATABASE_URL must be a URL postgres://…'
const NO_FOLDER = "DATA_DIR: cannot open the database: ENOTDIR: not a directory, mkdir '/dev/null/x'"
const NOBODY = 'DATABASE_URL: cannot open the database: connect ECONNREFUSED 127.0.0.1:1'

const NO_DEV = '--dev needs NODE_ENV to be exactly development or test'

const refuses = (at: string, change: Environment, shows: string, drop: readonly string[] = []): DeedStep => ({
  at,
  does: [
    ...Object.entries(change).map(([name, value]) => `${name}=${value}`),
    ...drop.map((name) => `no ${name}`),
  ].join(' '),
  shows,
  async act({ start, environmentOf }) {
    const environment = Object.fromEntries(
      Object.entries({ ...environmentOf(at), ...change }).filter(([name]) => !drop.includes(name)),
    )
    return await start(SYSTEMS[at]?.app ?? 'express', environment).then(
      async ({ stop }) => {
        await stop()
        return 'it starts'
      },
      (error: Error) => error.message,
    )
  },
})

/** The chapter. */
export const STARTS: readonly Chapter[] = [
  {
    title: 'Bad variables: the quick start refuses to start',
    steps: [
      refuses('express', { USERS: 'foo' }, 'USERS must be provision or sync'),
      refuses('express', { USERS: '' }, 'USERS is set, but empty'),
      refuses('express', { ORG: 'path' }, 'ORG must be header or user'),
      refuses('express', { ROLE: 'king' }, 'ROLE must be viewer or member or developer or admin or owner'),
      refuses('express', { CLOCK_TOLERANCE: '-1' }, 'CLOCK_TOLERANCE must be a whole number from 0 to 300'),
      refuses('express', { CLOCK_TOLERANCE: 'five' }, 'CLOCK_TOLERANCE must be a whole number from 0 to 300'),
      refuses('express', { JWKS_MAX_AGE: '0' }, 'JWKS_MAX_AGE must be a whole number from 1 to 86400'),
      refuses('express', { JWKS_MAX_STALE: '1e3' }, 'JWKS_MAX_STALE must be a whole number from 0 to 86400'),
      refuses('express', { PROBLEM_JSON: 'yes' }, 'PROBLEM_JSON must be 0 or 1'),
      refuses('express', { JWKS_URL: 'http://keys.example/jwks.json' }, `JWKS_URL ${URL_SENTENCE}`),
      refuses('express', { JWKS_URL: 'keys' }, 'JWKS_URL must be an absolute URL'),
      refuses('express', { JWT_SECRET: 'short' }, `JWT_SECRET ${SHORT}`),
      refuses('express', { ISSUER: ' ' }, 'ISSUER is set, but empty'),
      refuses('express', {}, 'ISSUER needs JWKS_URL or JWT_SECRET', ['JWKS_URL', 'JWT_SECRET']),
      refuses('express', {}, 'JWKS_URL: means nothing without ISSUER', ['ISSUER']),
      refuses(
        'quick start, embedded',
        { NODE_ENV: 'production' },
        'ISSUER is required in production: no embedded issuer there',
      ),
      refuses('express', { DATA_DIR: '' }, 'DATA_DIR is set, but empty'),
      refuses('express', { DATABASE_URL: 'mysql://localhost/x' }, NO_URL),
      refuses('express', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, NOBODY),
      refuses('express', { PORT: '70000' }, 'PORT must be a whole number from 0 to 65535'),
      refuses('express', { HOST: '' }, 'HOST is set, but empty'),
    ],
  },
  {
    title: 'Bad variables: Iron and Intello refuse to start',
    steps: [
      refuses('iron', { IRON_CRM_SECRET: '' }, 'IRON_CRM_SECRET is set, but empty'),
      refuses('iron', { IRON_CRM_SECRET: ' '.repeat(40) }, 'IRON_CRM_SECRET is set, but empty'),
      refuses('iron', { IRON_CRM_SECRET: 'short' }, `IRON_CRM_SECRET holds a secret that ${SHORT}`),
      refuses('iron', { SUPABASE_JWT_SECRET: 'short' }, `SUPABASE_JWT_SECRET ${SHORT}`),
      refuses('iron', { SUPABASE_URL: 'http://project.example' }, `SUPABASE_URL ${URL_SENTENCE}`),
      refuses('iron', {}, needsOneOf('AUTH_JWT_ISSUER', 'SUPABASE_URL'), ['SUPABASE_URL']),
      refuses('iron', { AUTH_JWT_ISSUER: 'x' }, needsOneOf('SUPABASE_URL', 'SUPABASE_JWT_SECRET'), [
        'SUPABASE_URL',
        'SUPABASE_JWT_SECRET',
      ]),
      refuses('iron', { AUTH_JWT_ISSUER: '' }, 'AUTH_JWT_ISSUER is set, but empty'),
      refuses(
        'iron',
        {
          AUTH_JWT_ISSUER: 'https://project.example/auth/v1',
          SUPABASE_JWT_SECRET: 'super-secret-jwt-token-with-at-least-32-characters-long',
        },
        'SUPABASE_JWT_SECRET is a sample that everybody knows; it is for loopback issuers only',
      ),
      refuses('intello', { PLATFORM_API_KEY: 'short' }, `PLATFORM_API_KEY holds a secret that ${SHORT}`),
      refuses('intello', { PLATFORM_API_KEY: '' }, 'PLATFORM_API_KEY is set, but empty'),
      refuses('intello', {}, 'SUPABASE_URL is required', ['SUPABASE_URL']),
      refuses('intello', { AUTH_JWT_AUDIENCE: '' }, 'AUTH_JWT_AUDIENCE is set, but empty'),
      refuses('intello', { API_KEYS: 'yes' }, 'API_KEYS must be on or off'),
      refuses('intello', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, NOBODY),
      refuses('intello', { DATA_DIR: '/dev/null/x' }, NO_FOLDER),
    ],
  },
  {
    title: 'Bad variables: Ironflow refuses to start',
    steps: [
      refuses('ironflow', { IRONFLOW_JWT_SECRET: '' }, 'IRONFLOW_JWT_SECRET is set, but empty'),
      refuses('ironflow', { IRONFLOW_JWT_SECRET: 'not hex' }, 'IRONFLOW_JWT_SECRET must be hexadecimal'),
      refuses('ironflow', { IRONFLOW_JWT_SECRET: 'ab'.repeat(15) }, 'IRONFLOW_JWT_SECRET must be at least 16 bytes'),
      refuses('ironflow', { IRONFLOW_CONFIG: '/no/such.yaml' }, "IRONFLOW_CONFIG: the file can't be read (ENOENT)"),
      refuses('ironflow', { DATABASE_URL: 'mysql://localhost/x' }, NO_URL),
      refuses('ironflow', { PORT: 'x' }, 'PORT must be a whole number from 0 to 65535'),
      refuses('ironflow, dev', { NODE_ENV: 'production' }, NO_DEV),
      refuses('ironflow, dev', { NODE_ENV: 'Development' }, NO_DEV),
      refuses('ironflow, dev', {}, NO_DEV, ['NODE_ENV']),
    ],
  },
]
