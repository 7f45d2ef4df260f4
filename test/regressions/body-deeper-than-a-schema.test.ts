/** A schema that holds itself (`z.json()`) overflowed the stack by a body of 6 KB of brackets, which was a 500. */
import { readJson } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { expect, it } from 'vitest'
import * as z from 'zod'

const read = (body: string, schema: z.ZodType): Promise<unknown> => {
  const headers = { 'Content-Type': 'application/json' }
  return readJson(fromFetchRequest(new Request('http://localhost', { method: 'POST', headers, body })), schema)
}
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

it('is 400 where the body is deeper than the stack', async () => {
  await expect(read(nested(8000), z.json())).rejects.toMatchObject({ code: 'validation_error', field: 'body' })
  await expect(read(nested(50), z.json())).resolves.toEqual(JSON.parse(nested(50)))
})

it('and stays the host’s fault where the schema never ends by itself', async () => {
  const endless = (value: unknown): boolean => endless(value)
  await expect(read(nested(50), z.any().refine(endless))).rejects.toThrow(RangeError)
})
