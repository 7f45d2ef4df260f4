// What createTokenClient refuses at construction, and that no sentence of it holds the value.
import { OptionsError } from 'sallyport'
import { createTokenClient, type TokenClientOptions } from 'sallyport/machine'
import { describe, expect, it } from 'vitest'
import { show } from './bench.ts'

const SUPABASE = {
  kind: 'supabase',
  url: 'https://abc.supabase.co',
  apiKey: 'sb_key',
  email: 'a@b.test',
  password: 'pw',
}
const OAUTH = { kind: 'clientCredentials', clientId: 'id', clientSecret: 'secret', tokenUrl: 'https://idp.test/token' }
const create = (grant: object, more: object = {}) =>
  createTokenClient({ grant, origins: ['https://api.test'], ...more } as unknown as TokenClientOptions)

describe('createTokenClient', () => {
  it('takes the least, and the most', () => {
    expect(Object.keys(create(SUPABASE))).toEqual(['token', 'fetch', 'close'])
    const { tokenUrl, ...client } = OAUTH
    create(OAUTH, { origins: [] })
    create({ ...client, issuer: 'http://localhost:3000/' }, { responseTimeoutSeconds: null })
    create({ ...client, issuer: 'https://idp.test', tokenUrl: undefined }, { fetch: undefined, clock: undefined })
    create({ ...OAUTH, clientAuth: 'post', scopes: ['a', 'b:c'], resource: ['urn:x:y'], audience: 'z' })
    expect(tokenUrl).toBeDefined()
  })

  it.each<[string, object, object?]>([
    ['grant', {}],
    ['kind', { ...SUPABASE, kind: 'password' }],
    ['kind', Object.create(SUPABASE)],
    ['url', { ...SUPABASE, url: 'http://abc.supabase.co' }],
    ['url', { ...SUPABASE, url: 'https://user:canary@abc.supabase.co' }],
    ['url', { ...SUPABASE, url: 'https://abc.supabase.co?x=canary' }],
    ['url', { ...SUPABASE, url: undefined }],
    ['without /auth/v1', { ...SUPABASE, url: 'https://abc.supabase.co/auth/v1' }],
    ['apiKey', { ...SUPABASE, apiKey: 'canary\r\nx: y' }],
    ['apiKey', { ...SUPABASE, apiKey: 'undefined' }],
    ['apiKey', { ...SUPABASE, apiKey: undefined }],
    ['password', { ...SUPABASE, password: ' ' }],
    ['password', { ...SUPABASE, password: 'undefined' }],
    ['password', { ...SUPABASE, password: 12345 }],
    ['email', { ...SUPABASE, email: '' }],
    ['"grant.passwort"', { ...SUPABASE, passwort: 'canary' }],
    ['tokenUrl', { ...OAUTH, tokenUrl: undefined }],
    ['not both', { ...OAUTH, issuer: 'https://idp.test' }],
    ['issuer', { ...OAUTH, tokenUrl: undefined, issuer: ' https://idp.test' }],
    ['tokenUrl', { ...OAUTH, tokenUrl: 'http://idp.test/token' }],
    ['issuer', { ...OAUTH, tokenUrl: undefined, issuer: 'https://idp.test/?canary' }],
    ['clientSecret', { ...OAUTH, clientSecret: 'null' }],
    ['clientAuth', { ...OAUTH, clientAuth: 'canary' }],
    ['scopes', { ...OAUTH, scopes: ['a b'] }],
    ['scopes', { ...OAUTH, scopes: 'a' }],
    ['resource', { ...OAUTH, resource: '/canary' }],
    ['resource', { ...OAUTH, resource: 'https://a.test/#canary' }],
    ['origins', SUPABASE, { origins: undefined }],
    ['"origins.0"', SUPABASE, { origins: ['http://api.test'] }],
    ['"origins.1"', SUPABASE, { origins: ['https://api.test', 'https://api.test/canary'] }],
    ['"origins.0"', SUPABASE, { origins: ['*'] }],
    ['"origins.0"', SUPABASE, { origins: [/canary/] }],
    ['marginSeconds', SUPABASE, { marginSeconds: -1 }],
    ['timeoutSeconds', SUPABASE, { timeoutSeconds: Number.NaN }],
    ['responseTimeoutSeconds', SUPABASE, { responseTimeoutSeconds: 0 }],
    ['onEvent', SUPABASE, { onEvent: 'canary' }],
    ['fetch', SUPABASE, { fetch: 'canary' }],
    ['"redirect"', SUPABASE, { redirect: 'canary' }],
  ])('refuses a bad %s', (word, grant, more) => {
    let thrown: unknown
    try {
      create(grant, more)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(OptionsError)
    expect(String(thrown)).toContain('createTokenClient')
    expect(String(thrown)).toContain(word)
    expect(show(thrown)).not.toMatch(/canary|12345/)
  })
})
