/** The document of a protected resource (RFC 9728): where it is, what it says, what it is not made of. */
import { describe, expect, it } from 'vitest'
import {
  type ProtectedResourceMetadataOptions,
  protectedResourceMetadata,
} from '../../src/http/protected-resource-metadata.ts'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

const GOOD: ProtectedResourceMetadataOptions = {
  resource: 'https://api.example.com/mcp',
  authorizationServers: ['https://login.example.com'],
}
const WELL_KNOWN = '/.well-known/oauth-protected-resource'

const answerOf = async (options: ProtectedResourceMetadataOptions) =>
  protectedResourceMetadata(options).handle(null as never, fakeRequest())

describe('where it is (§3.1)', () => {
  it.each([
    ['https://api.example.com', WELL_KNOWN, 'https://api.example.com'],
    ['https://api.example.com/', WELL_KNOWN, 'https://api.example.com'],
    ['https://api.example.com/mcp', `${WELL_KNOWN}/mcp`, 'https://api.example.com'],
    ['https://api.example.com/v1/team-a/mcp.json', `${WELL_KNOWN}/v1/team-a/mcp.json`, 'https://api.example.com'],
    ['https://api.example.com:8443/mcp', `${WELL_KNOWN}/mcp`, 'https://api.example.com:8443'],
    ['http://127.0.0.1:3000/mcp', `${WELL_KNOWN}/mcp`, 'http://127.0.0.1:3000'],
    ['http://localhost:3000', WELL_KNOWN, 'http://localhost:3000'],
  ])('%s: %s', async (resource, path, origin) => {
    const route = protectedResourceMetadata({ ...GOOD, resource })
    expect(route).toMatchObject({ method: 'GET', path, access: 'public', url: `${origin}${path}` })
    expect(Object.isFrozen(route)).toBe(true)
    // What clients compare with the URL they know (§3.3), character by character.
    expect(JSON.parse((await answerOf({ ...GOOD, resource })).body ?? '')).toMatchObject({ resource })
  })
})

describe('what it says', () => {
  it('what is required, and no more than it was told', async () => {
    const { status, headers, body } = await answerOf({ ...GOOD, scopes: undefined, name: undefined })
    expect(status).toBe(200)
    expect(headers).toEqual([
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Access-Control-Allow-Origin', '*'],
      ['Cache-Control', 'public, max-age=300'],
    ])
    expect(JSON.parse(body ?? '')).toEqual({
      resource: GOOD.resource,
      authorization_servers: GOOD.authorizationServers,
      bearer_methods_supported: ['header'],
    })
  })

  it('all that there is to say, by the names of §2', async () => {
    const { body } = await answerOf({
      ...GOOD,
      authorizationServers: ['https://login.example.com/', 'http://localhost:4000/realms/a'],
      scopes: ['notes:read', 'notes:write'],
      name: 'Notes “of mine”',
      documentation: 'https://example.com/docs?page=1',
      policy: 'https://example.com/privacy',
      termsOfService: 'https://example.com/terms',
    })
    expect(JSON.parse(body ?? '')).toEqual({
      resource: GOOD.resource,
      authorization_servers: ['https://login.example.com/', 'http://localhost:4000/realms/a'],
      scopes_supported: ['notes:read', 'notes:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes “of mine”',
      resource_documentation: 'https://example.com/docs?page=1',
      resource_policy_uri: 'https://example.com/privacy',
      resource_tos_uri: 'https://example.com/terms',
    })
  })
})

describe('what is refused at construction', () => {
  const segments = 'must have a path of plain segments'
  const spelling = 'must be written as URL parsers write it'
  it.each<[string, object, string, string]>([
    ['no resource', { resource: undefined }, 'resource', 'must be an absolute URL'],
    ['a path alone', { resource: '/mcp' }, 'resource', 'must be an absolute URL'],
    ['plain http', { resource: 'http://api.example.com/mcp' }, 'resource', 'must be an https URL'],
    ['a fragment', { resource: 'https://api.example.com/mcp#a' }, 'resource', 'must not contain a fragment'],
    ['a query', { resource: 'https://api.example.com/mcp?a=1' }, 'resource', 'must not contain a query'],
    ['an empty query', { resource: 'https://api.example.com/mcp?' }, 'resource', 'must not contain a query'],
    ['a slash at the end', { resource: 'https://api.example.com/mcp/' }, 'resource', segments],
    ['an empty segment', { resource: 'https://api.example.com/a//b' }, 'resource', segments],
    ['a parameter', { resource: 'https://api.example.com/:id/mcp' }, 'resource', segments],
    ['a colon', { resource: 'https://api.example.com/a:b' }, 'resource', segments],
    ['an escape', { resource: 'https://api.example.com/a%20b' }, 'resource', segments],
    ['upper case', { resource: 'https://API.example.com/mcp' }, 'resource', spelling],
    ['a port that goes without saying', { resource: 'https://api.example.com:443/mcp' }, 'resource', spelling],
    ['dots', { resource: 'https://api.example.com/a/../mcp' }, 'resource', spelling],
    ['an issuer as text', { authorizationServers: 'https://a.example' }, 'authorizationServers', 'array'],
    ['no issuer', { authorizationServers: [] }, 'authorizationServers', 'must not be empty'],
    ['nothing of issuers', { authorizationServers: undefined }, 'authorizationServers', 'is required'],
    ['an issuer by its host', { authorizationServers: ['a.example'] }, 'authorizationServers.0', 'absolute URL'],
    ['an issuer of plain http', { authorizationServers: ['http://a.example'] }, 'authorizationServers.0', 'https'],
    ['an issuer with a query', { authorizationServers: ['https://a.example/?b'] }, 'authorizationServers.0', 'query'],
    ['no scope', { scopes: [] }, 'scopes', 'must not be empty'],
    ['two scopes in one', { scopes: ['a b'] }, 'scopes.0', 'must be a scope token'],
    ['a scope with a quote', { scopes: ['a"b'] }, 'scopes.0', 'must be a scope token'],
    ['a blank name', { name: ' ' }, 'name', 'not blank'],
    ['a page by its path', { documentation: '/docs' }, 'documentation', 'must be an absolute URL'],
    ['a page that runs', { policy: 'javascript:alert(1)' }, 'policy', 'must be an https URL'],
    ['terms with credentials', { termsOfService: 'https://a:b@c.example/' }, 'termsOfService', 'credentials'],
    ['a misspelt option', { authorization_servers: [] }, 'authorization_servers', 'unknown option'],
  ])('%s', (_what, options, option, message) => {
    const make = (): unknown => protectedResourceMetadata({ ...GOOD, ...options } as never)
    expect(make).toThrow(OptionsError)
    expect(make).toThrow(expect.objectContaining({ option }))
    expect(make).toThrow(message)
  })
})
