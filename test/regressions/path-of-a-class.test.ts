/** ArkType's paths are a list of a class of its own: of a body that is no object `readJson` named the field `0`, not `body`. */
import { readJson } from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import { expect, it } from 'vitest'

// As `@ark/util` has it.
class ReadonlyPath extends Array<PropertyKey> {
  constructor(...items: PropertyKey[]) {
    super()
    this.push(...items)
  }
}

it.each([
  [new ReadonlyPath(), 'body'],
  [new ReadonlyPath('tags', 1), 'tags.1'],
  [['tags', { key: 1 }], 'tags.1'],
  [undefined, 'body'],
])('a path %j is the field %s', async (path, field) => {
  const schema = { '~standard': { version: 1, validate: () => ({ issues: [{ path }] }) } } as const
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '"x"' }
  const request = fromFetchRequest(new Request('http://localhost', init))
  await expect(readJson(request, schema)).rejects.toMatchObject({ code: 'validation_error', field })
})
