/** `readJson` by a Standard Schema: the typed body, or `validation_error` with the field of the first issue. */
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import { isAuthError } from '../../src/errors.ts'
import { createReadJson, readJson, type StandardSchema } from '../../src/http/read-json.ts'
import type { AuthRequest } from '../../src/request.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

const headers = { 'content-type': 'application/json' }
const sent = (text: string): AuthRequest =>
  fakeRequest({ method: 'POST', headers, body: { kind: 'bytes', bytes: new TextEncoder().encode(text) } })
const parsed = (value: unknown): AuthRequest =>
  fakeRequest({ method: 'POST', headers, body: { kind: 'parsed', value } })

const Contact = z.object({ name: z.string().min(1), tags: z.array(z.object({ id: z.int() })).default([]) })

/** A schema by hand, of a library whose paths are of objects. */
const schemaOf = <T>(validate: StandardSchema<T>['~standard']['validate']): StandardSchema<T> => ({
  '~standard': { version: 1, validate },
})

it('rejects for what is no request of its framework, as for all else', async () => {
  const read = createReadJson<AuthRequest>(() => {
    throw new TypeError('no request')
  })
  await expect(read({} as AuthRequest).catch(String)).resolves.toBe('TypeError: no request')
})

describe('a schema', () => {
  it('hands back what it makes of the body, with its type', async () => {
    const body: { name: string; tags: { id: number }[] } = await readJson(sent('{"name":"Ada","extra":1}'), Contact)
    expect(body).toEqual({ name: 'Ada', tags: [] })
    const upper: string = await readJson(
      sent('"ada"'),
      z.string().transform((text) => text.toUpperCase()),
    )
    expect(upper).toBe('ADA')
    const numbers: number[] = await readJson(sent('[1,2]'), mini.array(mini.number()))
    expect(numbers).toEqual([1, 2])
  })

  it('may answer later', async () => {
    const Later = z.object({ name: z.string().refine(async (name) => name === 'Ada') })
    expect(await readJson(sent('{"name":"Ada"}'), Later)).toEqual({ name: 'Ada' })
    await expect(readJson(sent('{"name":"Bob"}'), Later)).rejects.toMatchObject({
      code: 'validation_error',
      field: 'name',
    })
  })

  it.each([
    ['{}', 'name'],
    ['{"name":7,"tags":7}', 'name'],
    ['{"name":"x","tags":[{"id":1},{"id":"2"}]}', 'tags.1.id'],
    ['[]', 'body'],
    ['"x"', 'body'],
    ['null', 'body'],
    ['{', 'body'],
    ['', 'body'],
  ])('names the first issue of %s: %s', async (text, field) => {
    const reading = readJson(sent(text), Contact)
    await expect(reading).rejects.toMatchObject({ code: 'validation_error', status: 400, field })
  })

  it('names the body where an issue has no path, and reads paths whose parts are objects', async () => {
    const failing = (path?: readonly (PropertyKey | { readonly key: PropertyKey })[]): Promise<unknown> =>
      readJson(
        sent('{}'),
        schemaOf<never>(() => ({ issues: path === undefined ? [{}] : [{ path }] })),
      )
    await expect(failing()).rejects.toMatchObject({ field: 'body' })
    await expect(failing([])).rejects.toMatchObject({ field: 'body' })
    await expect(failing([{ key: 'a' }, 0, Symbol('s')])).rejects.toMatchObject({ field: 'a.0.Symbol(s)' })
    const none = readJson(
      sent('{}'),
      schemaOf<never>(() => ({ issues: [] })),
    )
    await expect(none).rejects.toMatchObject({ code: 'validation_error', field: 'body' })
  })

  it('is not asked about what is no JSON, whatever it lets pass', async () => {
    await expect(readJson(sent('{'), z.any())).rejects.toMatchObject({ field: 'body' })
    await expect(readJson(sent(''), z.optional(z.string()))).rejects.toMatchObject({ field: 'body' })
    await expect(readJson(parsed(undefined), z.any())).rejects.toMatchObject({ field: 'body' })
  })

  it('comes after 415, 413 and 408', async () => {
    const reading = (request: AuthRequest): Promise<unknown> => readJson(request, Contact, { limitBytes: 8 })
    await expect(reading(fakeRequest({ method: 'POST' }))).rejects.toMatchObject({ status: 415 })
    await expect(reading(sent('{"name":7}'))).rejects.toMatchObject({ status: 413 })
    await expect(reading(parsed({ name: 7000 }))).rejects.toMatchObject({ status: 413 })
    await expect(reading(sent('{"a":7}'))).rejects.toMatchObject({ status: 400 })
  })

  it('that throws is the fault of the host, not of the visitor', async () => {
    const broken = schemaOf<never>(() => {
      throw new Error('schema broken')
    })
    const error = await readJson(sent('{}'), broken).catch((thrown: unknown) => thrown)
    expect([isAuthError(error), (error as Error).message]).toEqual([false, 'schema broken'])
  })

  it.each([
    ['limits', { limitBytes: 10 }],
    ['a number', 10],
    ['null', null],
    ['a function', () => true],
    ['another version', { '~standard': { version: 2, validate: () => ({ value: 1 }) } }],
    ['a validator that is none', { '~standard': { version: 1, validate: true } }],
  ])('is none: %s', async (_what, wrong) => {
    await expect(readJson(sent('{}'), wrong as never)).rejects.toThrow(
      new TypeError('readJson: the schema (second argument) must be a Standard Schema, version 1; limits come third'),
    )
  })

  it('may be a function that has one', async () => {
    const schema = Object.assign(
      () => undefined,
      schemaOf(() => ({ value: 7 })),
    )
    expect(await readJson(sent('{}'), schema)).toBe(7)
  })
})

describe('a polluted Object.prototype', () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, 'role')
  })

  it.each(['bytes', 'a parsed value'])('gives a schema no member that was left out, from %s', async (from) => {
    Object.defineProperty(Object.prototype, 'role', { value: 'owner', configurable: true, enumerable: false })
    const schemas = [z.object({ role: z.string() }), mini.object({ role: mini.string() })]
    for (const schema of schemas) {
      const reading = readJson(from === 'bytes' ? sent('{"name":"x"}') : parsed({ name: 'x' }), schema)
      await expect(reading).rejects.toMatchObject({ code: 'validation_error', field: 'role' })
    }
  })
})

describe('no schema', () => {
  it('is an object as it came', async () => {
    const body: Readonly<Record<string, unknown>> = await readJson(sent('{"a":[1]}'))
    expect(body).toEqual({ a: [1] })
    expect(await readJson(sent('{"a":[1]}'), undefined, { limitBytes: 100 })).toEqual({ a: [1] })
    for (const text of ['[]', '7', 'null', '{']) {
      await expect(readJson(sent(text))).rejects.toMatchObject({ code: 'validation_error', field: 'body' })
    }
  })
})

it.each([{ limitBytes: -1 }, { limitBytes: '9' }, { timeoutSeconds: 0 }, { timeoutSeconds: 3601 }])(
  'limits that are none are a mistake of the host: %j',
  async (limits) => {
    await expect(readJson(sent('{}'), Contact, limits as never)).rejects.toThrow(TypeError)
  },
)
