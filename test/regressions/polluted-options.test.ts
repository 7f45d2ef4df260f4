/** A default was read through `Object.prototype`: `Object.prototype.optional = true` made every route optional. */
import { expect, it } from 'vitest'
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
