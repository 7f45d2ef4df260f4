/** README.md, docs/debugging.md, docs/quick-start.md: the lines of a terminal that they show are those that are printed. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Decision } from '../../src/context.ts'
import { type IssuerOptions, supabase } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { clerk } from '../../src/verify/presets/clerk.ts'
import { PATIENCE_MS } from '../patience.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

const read = (page: string): string => readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8')
const PAGES = ['README.md', 'docs/debugging.md', 'docs/quick-start.md']
const shown = PAGES.flatMap((page) => read(page).match(/^(?:sallyport: |\d{3} [a-z_]+: ).+$/gm) ?? [])

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(...String(line).split('\n')))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

interface Asked {
  readonly issuer?: IssuerOptions
  readonly authorization?: string
  readonly path?: string
  /** What the storage throws. */
  readonly thrown?: Error
  /** What serves keys. */
  readonly fetch?: typeof fetch
}

// A process of its own: what is printed of one request.
async function ask(mode: string, asked: Asked, more: (index: Index) => object = () => ({})): Promise<void> {
  vi.resetModules()
  vi.stubEnv('NODE_ENV', mode)
  const index = await import('../../src/index.ts')
  const { issuer = bySlash, authorization = `Bearer ${await withSlash.sign()}`, path = '/me', thrown } = asked
  const storage = createMemoryStorage()
  const verifier = index.createJwtVerifier({ issuers: [issuer], fetch: asked.fetch ?? served })
  const auth = index.createAuth({
    verifier,
    users: () => Promise.reject(thrown ?? new Error('nobody is asked')),
    ...{ storage, roles: ['member'] },
    ...more(index),
  })
  await auth.authenticate(fakeRequest({ path, headers: { authorization } })).catch(() => {})
}

type Index = typeof import('../../src/index.ts')

const issuerCalled = (issuer: string, audience: string): Promise<TokenIssuer> =>
  createTokenIssuer({ issuer, audience, algorithms: ['RS256', 'HS256'] })
const API = 'https://api.example.com'
const withSlash = await issuerCalled('https://acme.eu.auth0.com/', API)
const clerks = await issuerCalled('https://clerk.example.com', 'none')
const project = await issuerCalled('https://abc.supabase.co/auth/v1', 'authenticated')
const away = Object.assign(new Error('x'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
  address: '127.0.0.1',
  port: 5432,
})
const noTable = Object.assign(new Error('x'), { code: '42P01' })

const jwks = [{ kind: 'jwks', url: 'http://127.0.0.1:3001/jwks', algorithms: ['RS256'] }] as const
const bySlash: IssuerOptions = { issuer: 'https://acme.eu.auth0.com', keys: jwks, audience: API, people: 'own' }
const served: typeof fetch = async (url) =>
  Response.json(String(url).includes('clerk') ? clerks.jwks() : withSlash.jwks())
const good: Asked = { issuer: { ...bySlash, issuer: 'https://acme.eu.auth0.com/' } }
const explained = ({ explain }: Index): { readonly onDecision: (decision: Decision) => void } => ({
  onDecision: explain({ color: false }),
})

// Each in a process of its own: what is printed there.
const SCENES: Readonly<Record<string, () => Promise<void>>> = {
  'a slash too many': () => ask('development', {}),
  'a page by another name': async () => {
    const issuer = clerk({ frontendApi: 'https://clerk.example.com', authorizedParties: ['http://localhost:5173'] })
    const claims = { sub: 'user_1', sid: 'sess_1', azp: 'http://127.0.0.1:5173', aud: undefined }
    await ask('development', { issuer, authorization: `Bearer ${await clerks.sign(claims)}` })
  },
  quotes: async () => ask('development', { ...good, authorization: `Bearer "${await withSlash.sign()}"` }),
  'no tables': () => ask('development', { ...good, thrown: noTable }),
  'no tables, in production': () => ask('production', { ...good, thrown: noTable }),
  'a database that is away': () => ask('production', { ...good, thrown: away }, explained),
  'one file': async () => {
    vi.doMock('../../src/explain/sallyport-explainer.ts', () => {
      throw new Error('no such file')
    })
    await ask('development', {})
  },
  'a key server that is away': () =>
    ask('production', { ...good, fetch: () => Promise.reject(new TypeError('x', { cause: away })) }),
  'an anon key': async () => {
    const authorization = `Bearer ${await project.sign({ iss: 'supabase', role: 'anon' }, { algorithm: 'HS256' })}`
    await ask('development', { issuer: supabase({ url: 'https://abc.supabase.co' }), authorization, path: '/api/me' })
  },
}

it('each line of the pages is printed', async () => {
  const printed: string[] = []
  for (const [name, scene] of Object.entries(SCENES)) {
    lines = []
    await scene()
    const isPrinted = (): void => {
      if (lines.length === 0) throw new Error(`nothing is printed of ${name}`)
    }
    await vi.waitFor(isPrinted, { timeout: PATIENCE_MS })
    printed.push(...lines)
    vi.doUnmock('../../src/explain/sallyport-explainer.ts')
  }
  expect(shown.length).toBeGreaterThan(8)
  expect(shown.filter((line) => !printed.includes(line))).toEqual([])
})
