/** The guides of docs/coming-from-*.md: whose apps they are, and what is asked of both. */
import { createTokenIssuer, type JwksServer, startJwksServer } from '../../src/testing/index.ts'
import {
  type Asked,
  OPTIONAL,
  PREVIOUS,
  PREVIOUS_SECRET,
  REQUIRED,
  SCOPES,
  SHARED_SECRET,
  type World,
} from './requests.ts'

const audience = 'https://api.example.com'
const at = (path: string, asked: readonly Omit<Asked, 'path'>[]): Asked[] => asked.map((each) => ({ ...each, path }))

const TOKENS = [...at('/api/me', REQUIRED), ...at('/api/feed', OPTIONAL), ...at('/api/own', SHARED_SECRET)]

/** One guide: `docs/coming-from-<name>.md` and `examples/moving/<name>/`. */
export interface Guide {
  readonly name: string
  readonly asked: readonly Asked[]
}

/** All of them. */
export const GUIDES: readonly Guide[] = [
  { name: 'express-jwt', asked: TOKENS },
  { name: 'koa-jwt', asked: [...TOKENS, ...at('/api/own', PREVIOUS_SECRET)] },
  { name: 'hono-jwk', asked: TOKENS },
  { name: 'express-oauth2-jwt-bearer', asked: [...TOKENS, ...at('/api/reports', SCOPES)] },
]

/** A provider with a key server, a secret and a stranger. */
export async function createWorld(): Promise<{ readonly world: World; readonly server: JwksServer }> {
  const secret = 'the shared secret of an app that moves, in prove'
  const server = await startJwksServer((issuer) =>
    createTokenIssuer({ issuer, audience, algorithms: ['RS256'], secret }),
  )
  const stranger = await createTokenIssuer({ algorithms: ['RS256'] })
  const env = { ISSUER: server.url, AUDIENCE: audience, JWT_SECRET: secret, JWT_SECRET_PREVIOUS: PREVIOUS }
  return { server, world: { env, provider: server.issuer, stranger, claims: { sub: 'ada' } } }
}
