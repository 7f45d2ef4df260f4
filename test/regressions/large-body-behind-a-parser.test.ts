/** A parsed body was measured to its end, however far past the limit it was. */
import { expect, it } from 'vitest'
import { readJson } from '../../src/http/read-json.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

/** Counts how many members are looked at. */
function watched(members: number): { readonly value: unknown; readonly looks: () => number } {
  let looks = 0
  const value = new Proxy(
    Array.from({ length: members }, (_, index) => `${index}`.padEnd(100)),
    {
      get: (target, name, receiver) => {
        if (/^\d+$/.test(String(name))) looks += 1
        return Reflect.get(target, name, receiver)
      },
    },
  )
  return { value, looks: () => looks }
}

const read = (value: unknown): Promise<unknown> =>
  readJson(
    fakeRequest({ method: 'POST', headers: { 'content-type': 'application/json' }, body: { kind: 'parsed', value } }),
  )

it('looks at no more members than the limit has room for', async () => {
  for (const members of [10_000, 100_000]) {
    const { value, looks } = watched(members)
    await expect(read({ value })).rejects.toMatchObject({ code: 'payload_too_large' })
    expect(looks()).toBeLessThan(16_384)
  }
  await expect(read({ a: { b: watched(1).value, long: 'x'.repeat(20_000) } })).rejects.toMatchObject({ status: 413 })
})

it('looks at no member of an object whose names alone are too many', async () => {
  let looks = 0
  const members = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]))
  const value = new Proxy(members, {
    get: (target, name) => {
      if (String(name) in target) looks += 1
      return Reflect.get(target, name)
    },
  })
  await expect(read({ value })).rejects.toMatchObject({ code: 'payload_too_large' })
  expect(looks).toBe(0)
})

it('ends for a body that holds itself', async () => {
  const value: Record<string, unknown> = { a: 1 }
  value['self'] = [value]
  await expect(read(value)).rejects.toMatchObject({ code: 'payload_too_large' })
})
