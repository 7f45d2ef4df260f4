/** A default was read through `Object.prototype`: `Object.prototype.optional = true` made every route optional. */
import { expect, it } from 'vitest'
import { createAuth } from '../../src/auth.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'

it('a route made in a polluted process asks for a credential', async () => {
  const prototype = Object.prototype as { optional?: boolean }
  prototype.optional = true
  try {
    const { auth } = createWorld()
    expect(await reasonOf(auth.authorizer({})(fakeRequest()))).toBe('credential_missing')
  } finally {
    delete prototype.optional
  }
})

it('roles and services made in a polluted process can do what was written of them', async () => {
  const prototype = Object.prototype as { permissions?: string[] }
  const verify = async () => 'telephony'
  const services = { verify, services: [{ name: 'telephony', header: 'X-Telephony-Secret' }] }
  prototype.permissions = ['users:write']
  try {
    expect(createRoles({ member: ['things:read'] }).permissions).toEqual(['things:read'])
    const { authenticate } = createWorld({ auth: () => ({ services: services as never }) })
    const context = await authenticate({ headers: { 'X-Telephony-Secret': 'x' } }, { accept: ['service'] })
    expect(context?.permissions).toEqual([])
  } finally {
    delete prototype.permissions
  }
})

it('an issuer made in a polluted process signs in nobody’s own people', () => {
  const prototype = Object.prototype as { people?: string }
  const keys = [{ kind: 'secret', secret: 'a secret of thirty-two bytes, at least' }] as const
  const issuers = [{ issuer: 'https://accounts.example.test', keys, audience: 'a' }]
  prototype.people = 'own'
  try {
    expect(() => createAuth({ issuers, storage: createMemoryStorage(), roles: ['owner'] })).toThrow('option "users"')
  } finally {
    delete prototype.people
  }
})
