/** A default was read through `Object.prototype`: `Object.prototype.optional = true` made every route optional. */
import { expect, it } from 'vitest'
import { createAuth } from '../../src/auth.ts'
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
