/** The state of a request was found by inheritance: an object made of a request that had passed acted as its caller. */
import { expect, it } from 'vitest'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'

const MADE_OF_IT: Record<string, (source: object) => object> = {
  'an heir': (source) => Object.create(source) as object,
  'a proxy': (source) => new Proxy(source, {}),
  'a copy with its symbols': (source) =>
    Object.defineProperties({}, Object.getOwnPropertyDescriptors(source)) as object,
  'an object of a class that has it for a prototype': (source) => {
    function Derived(): void {}
    Derived.prototype = source
    return Reflect.construct(Derived, []) as object
  },
}

it.each(Object.keys(MADE_OF_IT))('%s of a request is another request', async (name) => {
  const world = createWorld()
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  const source = {}
  const authorize = world.auth.authorizer({})
  await authorize(fakeRequest({ headers, source }))
  expect(authorize.contextOf(source)).toMatchObject({ role: 'owner' })
  const made = MADE_OF_IT[name]?.(source) as object
  expect(() => authorize.contextOf(made)).toThrow('found no context')
  expect(await reasonOf(world.auth.authorizer({})(fakeRequest({ source: made })))).toBe('credential_missing')
})

it('a request takes no state from Object.prototype, and leaves none on itself', async () => {
  const world = createWorld()
  const { headers } = await world.person('ada', { [await world.org('acme')]: 'owner' })
  const source = Object.freeze({})
  const authorize = world.auth.authorizer({})
  await authorize(fakeRequest({ headers, source }))
  expect(Reflect.ownKeys(source)).toEqual([])
  expect(authorize.contextOf(source)).toMatchObject({ role: 'owner' })
})
