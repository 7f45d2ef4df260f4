/** The recipe for plain Fetch: what the frameworks' own recipes stand on, which `frameworks.prove.ts` runs. */
import { AuthError } from 'sallyport'
import { type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { snippet, textOf } from '../readme/snippets.ts'

interface Known {
  readonly user: { readonly email: string }
  readonly org: { readonly id: string }
}

let issuer: SupabaseIssuer
let recipe: { protect(access: object, handle: (context: Known) => unknown): (request: Request) => Promise<Response> }
let authorization: string

beforeAll(async () => {
  issuer = await startSupabaseIssuer()
  process.env['SUPABASE_URL'] = issuer.url
  // A host's own code, by a host's own settings.
  recipe = await import(new URL('../../examples/recipes/fetch.ts', import.meta.url).href)
  const claims = issuer.tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test' })
  authorization = `Bearer ${await issuer.tokens.sign(claims)}`
})
afterAll(() => issuer.close())

const ask = (headers: Record<string, string> = {}): Request =>
  new Request('https://api.example.com/api/me', { headers })

it('has the auth of the README beside it', () => {
  expect(textOf('examples/recipes/auth.ts')).toBe(snippet('auth.ts').code)
})

it('answers whom it knows, and names the organization', async () => {
  const me = recipe.protect({}, ({ user, org }) => Response.json({ user: user.email, org: org.id }))
  const answer = await me(ask({ authorization }))
  expect(await answer.json()).toEqual({ user: 'ada@example.test', org: answer.headers.get('x-org-id') })
})

it('refuses with the challenge, without calling the handler', async () => {
  const answer = await recipe.protect({}, () => Promise.reject(new Error('called')))(ask())
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect(await answer.json()).toMatchObject({ error: { code: 'unauthorized' } })
})

it('answers what a handler refuses, and hands on what is no refusal', async () => {
  const missing = recipe.protect({}, () => Promise.reject(new AuthError('not_found')))
  const answer = await missing(ask({ authorization }))
  expect([answer.status, answer.headers.get('x-org-id')]).toEqual([404, expect.stringMatching(/^[0-9a-f-]{36}$/)])
  expect(answer.headers.get('vary')).toContain('X-Org-Id')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const failing = recipe.protect({}, () => Promise.reject(new Error('a fault')))
  const print = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  await expect(failing(ask({ authorization }))).rejects.toThrow('a fault')
  print.mockRestore()
})

it('throws for a wrong Access at once', () => {
  expect(() => recipe.protect({ role: 'nobody' }, () => new Response())).toThrow('role')
})
