import { expect, it } from 'vitest'
import { createBeside } from '../../src/lib/beside.ts'

const OBJECTS: Readonly<Record<string, () => object>> = {
  'an object': () => ({ a: 1 }),
  'an object without a prototype': () => Object.create(null),
  'a frozen one': () => Object.freeze({ a: 1 }),
  'a function': () => () => undefined,
  'an instance': () => new (class Message {})(),
  'a proxy': () => new Proxy({}, { get: () => 'x', has: () => true, getOwnPropertyDescriptor: () => undefined }),
}

it.each(Object.keys(OBJECTS))('beside %s something is kept, for that very object, and seen by nobody', (name) => {
  const [one, other] = [createBeside<number>(), createBeside<string>()]
  const object = (OBJECTS[name] as () => object)()
  const keys = Reflect.ownKeys(object)
  expect(one.get(object)).toBeUndefined()
  one.set(object, 1)
  other.set(object, 'x')
  expect([one.get(object), other.get(object)]).toEqual([1, 'x'])
  one.set(object, 2)
  expect(one.get(object)).toBe(2)
  expect(Reflect.ownKeys(object)).toEqual(keys)
  for (const another of [
    { ...object },
    Object.create(object),
    new Proxy(object, {}),
    (OBJECTS[name] as () => object)(),
  ]) {
    expect(one.get(another)).toBeUndefined()
  }
})

it('what is frozen later keeps it', () => {
  const [beside, object] = [createBeside<number>(), {}]
  beside.set(object, 1)
  Object.freeze(object)
  beside.set(object, 2)
  expect(beside.get(object)).toBe(2)
})
