// The pages of identity providers are kept true: a preset is what is written out for it, no preset is missing, its table is as the
// code has it. That what is written out answers tokens as the preset does is held with each preset.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, it, vi } from 'vitest'
import { withTables } from '../../scripts/readme-tables.ts'
import { type Auth, createAuth, createJwtVerifier, type IssuerOptions } from '../../src/index.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { createTokenIssuer, startJwksServer } from '../../src/testing/index.ts'
import * as presets from '../../src/verify/presets/index.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { refusalOf } from '../pipeline/world.ts'
import { dataOf } from '../verify/presets/preset-cases.ts'
import { openSnippets, PAGES, snippets } from './snippets.ts'

const pageOf = (name: string): string => PAGES.find(({ path }) => path === `docs/${name}.md`)?.text ?? ''
const page = pageOf('issuers')
const pages = ['issuers', 'issuers-workloads', 'issuers-others'].map(pageOf).join('\n')
const long = snippets.filter(({ name }) => name.endsWith('.long.ts')).map(({ name }) => name)
const { load, remove } = openSnippets()

afterAll(remove)

it.each(long)('%s is the short form written out', async (name) => {
  const { short } = await load<{ short: IssuerOptions }>(name.replace('.long', ''))
  const written = await load<{ long: IssuerOptions }>(name)
  expect(dataOf(written.long)).toEqual(dataOf(short))
})

it('entra-tenants.ts says what the short form has for issuer and keys', async () => {
  const { short, ...long } = await load<{ short: IssuerOptions }>('entra-tenants.ts')
  expect(short).toMatchObject(long)
})

const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })

it.each(['kinde', 'descope', 'stytch', 'propelauth', 'gitlab', 'spiffe'])('%s.ts makes a verifier', async (name) => {
  process.env['PROPELAUTH_PUBLIC_KEY'] = rsa.export({ type: 'spki', format: 'pem' }) as string
  const issuers = Object.values(await load<Record<string, IssuerOptions>>(`${name}.ts`))
  expect(() => createJwtVerifier({ issuers })).not.toThrow()
})

it('gateways.ts, moved.ts and use.ts make an auth each', async () => {
  process.env['SUPABASE_URL'] = 'https://abc.supabase.co'
  expect(await load<object>('moved.ts')).toHaveProperty('auth.authenticate')
  expect(Object.keys(await load<object>('gateways.ts'))).toEqual(['cloudflare', 'googleIap', 'pomerium'])
  expect(await load<object>('use.ts')).toHaveProperty('auth.authenticate')
})

const audience = 'https://api.example.com'
const issuerAt = (url: string) => createTokenIssuer({ issuer: url, audience, algorithms: ['RS256'] })
const bearerOf = async (token: Promise<string>) => fakeRequest({ headers: { authorization: `Bearer ${await token}` } })

it('a preset with the keys of a test server in the place of its own lets in what that signs', async () => {
  const server = await startJwksServer(() =>
    createTokenIssuer({ issuer: 'https://tenant.eu.auth0.com/', audience, algorithms: ['RS256'] }),
  )
  const issuer = presets.auth0({ domain: 'tenant.eu.auth0.com', audience })
  const auth = createAuth({
    issuers: [{ ...issuer, keys: [{ kind: 'jwks', url: server.jwksUrl, algorithms: ['RS256'] }] }],
  })
  const request = await bearerOf(server.issuer.sign({ sub: 'auth0|1' }))
  expect(await auth.authenticate(request)).toMatchObject({ identity: { subject: 'auth0|1' } })
  await server.close()
})

it('customers.ts lets people of a customer into its organization alone, and nobody of another provider', async () => {
  process.env['SUPABASE_URL'] = 'https://abc.supabase.co'
  const { auth, customers } = await load<{ auth: Auth; customers: Map<string, { orgId: string }> }>('customers.ts')
  const { storage } = await load<{ storage: AuthStorage }>('auth.ts')
  const [known, unknown] = [await startJwksServer(issuerAt), await startJwksServer(issuerAt)]
  const org = await storage.orgs.insert({ name: 'acme' })
  customers.set(known.url, { orgId: org.id })
  const entered = await auth.authenticate(await bearerOf(known.issuer.sign({ sub: 'ada' })))
  expect(entered).toMatchObject({ org: { id: org.id }, role: 'member' })
  const refusal = await refusalOf(auth.authenticate(await bearerOf(unknown.issuer.sign({ sub: 'ada' }))))
  expect(refusal).toMatchObject({ code: 'unauthorized', reason: 'token_issuer_unknown' })
  await known.close()
  await unknown.close()
})

it('profile.ts asks once for what the token lacks, and makes nobody where that fails', async () => {
  const answers: Record<string, [status: number, body: object]> = {}
  const asked: string[] = []
  const endpoint = createServer(({ url: path = '' }, response) => {
    asked.push(path)
    const [status, body] = answers[path] ?? [404, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`
  process.env['ISSUER'] = url
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const { auth } = await load<{ auth: Auth }>('profile.ts')
  const issuer = await issuerAt(url)
  const token = issuer.sign({ sub: 'ada', email: undefined })
  const failure = async (): Promise<unknown> => {
    const { code, cause } = await refusalOf(auth.authenticate(await bearerOf(token)))
    return [code, (cause as Error).message]
  }
  const metadata = { issuer: url, jwks_uri: `${url}/jwks` }
  answers['/.well-known/openid-configuration'] = [200, metadata]
  answers['/jwks'] = [200, issuer.jwks()]
  expect(await failure()).toEqual(['temporarily_unavailable', 'metadata_userinfo_endpoint'])
  answers['/.well-known/openid-configuration'] = [200, { ...metadata, userinfo_endpoint: `${url}/userinfo` }]
  answers['/userinfo'] = [401, {}]
  expect(await failure()).toEqual(['temporarily_unavailable', 'userinfo_401'])
  expect(pages).toContain('`metadata_userinfo_endpoint`')
  expect(pages).toContain('`userinfo_401`')
  answers['/userinfo'] = [200, { sub: 'ada', email: 'ada@example.com', name: 'Ada' }]
  asked.length = 0
  for (const _ of [1, 2]) {
    const context = await auth.authenticate(await bearerOf(issuer.sign({ sub: 'ada', email: undefined })))
    expect(context).toMatchObject({ user: { email: 'ada@example.com' } })
  }
  expect(asked.filter((path) => path === '/userinfo')).toHaveLength(1)
  expect(log.mock.calls).toEqual([['ada@example.com', 'Ada']])
  log.mockRestore()
  endpoint.closeAllConnections()
  endpoint.close()
})

it('has every preset, with a section and a row', () => {
  const names = Object.keys(presets)
  expect(names.filter((name) => !pages.includes(`= ${name}({`))).toEqual([])
  expect(names.filter((name) => !page.includes(`| [${name}](#`))).toEqual([])
})

it('has its table as the code has it (npm run pages writes it)', async () => {
  expect(await withTables(page)).toBe(page)
})
