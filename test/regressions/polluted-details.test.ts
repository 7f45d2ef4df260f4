/** What a refusal, a change, a key left out was read through `Object.prototype`: other code's `retryAfterSeconds` stood in answers. */
import { afterEach, describe, expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { AuthError, toAuthResponse } from '../../src/errors.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'
import { contextOf, createPeopleWorld, NOBODY, ROLES as PEOPLE_ROLES } from '../people/world.ts'
import { createWorld, refusalOf } from '../pipeline/world.ts'

const written: string[] = []
function pollute(members: object): void {
  for (const [name, value] of Object.entries(members)) {
    written.push(name)
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  }
}
afterEach(() => {
  for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
})

const DETAILS = {
  ...{ cause: 'x', reason: 'x', expected: 'x', got: 'x', field: 'x', absent: true, scopes: ['x'], token: true },
  ...{ syncPath: '/x', retryAfterSeconds: 900, principal: { kind: 'user', id: 'x' }, kind: 'user', id: 'x', name: 'x' },
}
const CHALLENGES = { realm: 'x', scope: 'asked', resourceMetadata: 'https://x.test' }

describe('in a process where somebody has written into Object.prototype', () => {
  it.each([
    'unauthorized',
    'user_not_synced',
    'insufficient_scope',
    'rate_limit_exceeded',
    'validation_error',
  ] as const)('a refusal with %s is what it says itself', (code) => {
    const partsOf = (error: AuthError): unknown => [{ ...error }, error.message, toAuthResponse(error)]
    const before = partsOf(new AuthError(code))
    pollute({ ...DETAILS, ...CHALLENGES })
    const after = partsOf(new AuthError(code))
    const withEmpty = partsOf(new AuthError(code, {}))
    for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
    expect([after, withEmpty]).toEqual([before, before])
  })

  it('the challenge and the record of an auth are those that it was made for', async () => {
    const ask = async () => {
      const { auth, authenticate, decisions } = createWorld()
      const error = await refusalOf(authenticate({ headers: { authorization: 'Bearer x.y.z' } }))
      const [{ reason, principal, expected, got } = {}] = decisions as readonly Partial<(typeof decisions)[number]>[]
      return { response: auth.toResponse(error), reason, principal, expected, got }
    }
    const before = await ask()
    pollute({ ...CHALLENGES, kind: 'user', id: 'x', name: 'x', principal: { kind: 'user', id: 'x' } })
    const after = await ask()
    for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
    expect(after).toEqual(before)
  })

  it('a key gets the role and the organization that were asked for, and a rotation no overlap', async () => {
    const { storage, orgId } = await createPeopleWorld()
    const keys = createApiKeys({ storage: { apiKeys: storage.apiKeys }, prefix: 'itk', roles: PEOPLE_ROLES })
    const owner = contextOf(NOBODY, 'owner', orgId)
    pollute({ role: 'owner', permissions: ['org:delete'], expiresAt: '2030-01-01T00:00:00Z', overlapSeconds: 600 })
    const { apiKey } = await keys.issue(owner, { name: 'ci' })
    await keys.rotate(owner, apiKey.id, {})
    const stored = await storage.apiKeys.findById(apiKey.id)
    for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
    expect(stored).toMatchObject({ role: 'viewer', permissions: [], expiresAt: null, previousUntil: null })
  })

  it('the columns of a statement are those of the table', () => {
    const database = { prepare: () => ({ all: () => [], run: () => ({ changes: 0 }) }), exec: () => undefined }
    const texts: string[] = []
    const prepare = (text: string) => {
      texts.push(text)
      return database.prepare()
    }
    const spied = { ...database, prepare }
    pollute({ email: 'secret', role: 'secret', id: 'secret' })
    const asking = createSqliteStorage({ database: spied as never }).users.findById(NOBODY)
    for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
    return asking.then(() => {
      expect(texts.join()).toContain('email')
      expect(texts.join()).not.toContain('secret')
    })
  })

  it('an account is changed by what the change says, and an organization gets an id of its own', async () => {
    const { accounts, orgs } = createMemoryStorage()
    pollute({ disabled: true, email: 'eve@example.test', passwordHash: '$eve$', keep: 'admin', id: 'eve' })
    const given = { email: 'ada@example.test', passwordHash: '$ada$', role: 'admin', createdAt: new Date() }
    const { id } = await accounts.accounts.insert(given)
    const changed = await accounts.accounts.update(id, { role: 'viewer' })
    const org = await orgs.insert({ name: 'Acme' })
    for (const name of written.splice(0)) Reflect.deleteProperty(Object.prototype, name)
    expect(changed).toMatchObject({
      account: { email: 'ada@example.test', passwordHash: '$ada$', role: 'viewer', disabled: false },
    })
    expect(org.id).toMatch(/^[0-9a-f-]{36}$/)
  })
})
