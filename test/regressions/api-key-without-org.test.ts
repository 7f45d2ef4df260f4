/** An org resolver that gave an API key no organization had the handler called with `null`, which its type denies. */
import { expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createWorld } from '../pipeline/world.ts'

it('is a fault of the resolver, and the handler does not run', async () => {
  const world = createWorld({
    auth: () => ({
      orgs: {
        readSelection: () => ({ kind: 'unnamed' }),
        resolve: async () => ({ org: null, role: null }),
        toOrgId: () => null,
        responseHeader: null,
      } as never,
    }),
  })
  const headers = { authorization: `Bearer ${world.apiKey({ orgId: null })}` }
  const outcome = await world.authenticate({ headers }, { accept: ['apiKey'] }).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(Error)
  expect(isAuthError(outcome)).toBe(false)
})
