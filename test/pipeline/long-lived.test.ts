/** A connection that stays open longer than its token: the verdict of a request is kept, a fresh source authenticates anew. */
import { expect, it } from 'vitest'
import { fakeRequest } from './fake-request.ts'
import { createWorld, reasonOf } from './world.ts'

it('is checked again by a fresh source, and by nothing else', async () => {
  const world = createWorld()
  const orgId = await world.org('acme')
  const { id, headers } = await world.person('ada', { [orgId]: 'member' })
  const source = {}
  const authenticate = (of: object): Promise<unknown> => world.auth.authenticate(fakeRequest({ headers, source: of }))
  expect(await authenticate(source)).toMatchObject({ org: { id: orgId } })
  await world.storage.users.setDisabled(id, true)
  expect(await authenticate(source)).toMatchObject({ org: { id: orgId } })
  expect(await reasonOf(authenticate({}))).toBe('user_disabled')
})
