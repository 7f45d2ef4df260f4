// What every create… function reads its options by: strict, own properties only, every problem told at once by its path.
import { describe, expect, it } from 'vitest'
import {
  aBoolean,
  aFilledListOf,
  aFunction,
  aGroup,
  aGroupOfKind,
  aListOf,
  aName,
  aNumber,
  anObjectWith,
  aRecordOf,
  checkedBy,
  OptionsError,
  type OptionType,
  oneOf,
  optional,
  optionsError,
  orNull,
  parseOptions,
  type Shape,
} from '../../src/lib/parse-options.ts'

interface Visitor {
  readonly id: string
}

interface DoorbellOptions<V extends Visitor, C extends string = string> {
  readonly names: readonly C[]
  readonly find: { find(id: string): V }
  readonly onRing?: ((visitor: V) => void) | undefined
  readonly quiet?: { readonly fromHour: number; readonly toHour?: number | undefined } | undefined
  readonly tone?: 'high' | 'low' | null | undefined
}

const shape = <V extends Visitor, C extends string>(): Shape<DoorbellOptions<V, C>> => ({
  names: aListOf(aName()),
  find: anObjectWith('find'),
  onRing: optional(aFunction()),
  quiet: optional(aGroup({ fromHour: aNumber(0, 23), toHour: optional(aNumber(0, 23)) })),
  tone: optional(orNull(oneOf('high', 'low'))),
})
const GOOD = { names: ['a'], find: { find: (id: string) => ({ id }) } }

function parse(options: unknown): DoorbellOptions<Visitor> {
  return parseOptions('createDoorbell', shape<Visitor, string>(), options as DoorbellOptions<Visitor>)
}

function errorOf(options: unknown): OptionsError {
  try {
    parse(options)
  } catch (error) {
    if (error instanceof OptionsError) return error
    throw error
  }
  throw new Error('taken')
}

describe('parseOptions', () => {
  it('hands back every option as its own, with undefined for what was left out', () => {
    const onRing = (): void => undefined
    expect({ ...parse({ ...GOOD, onRing, quiet: { fromHour: 22 } }) }).toEqual({
      ...GOOD,
      onRing,
      quiet: { fromHour: 22, toHour: undefined },
      tone: undefined,
    })
    expect(Object.keys(parse(GOOD))).toEqual(['names', 'find', 'onRing', 'quiet', 'tone'])
  })

  it('takes null where the type has it, and an explicit undefined for what is optional', () => {
    expect(parse({ ...GOOD, tone: null, quiet: undefined }).tone).toBe(null)
  })

  it('tells every problem at once, each by its path', () => {
    const error = errorOf({ names: ['a', ' '], quiet: { fromHour: 24, till: 7 }, onRing: 'x', tune: 1 })
    expect(error).toBeInstanceOf(TypeError)
    expect(error.name).toBe('OptionsError')
    expect(error.problems).toEqual([
      { option: 'names.1', message: 'must be a string that is not blank' },
      { option: 'find', message: 'is required: must be an object with find' },
      { option: 'onRing', message: 'must be a function' },
      { option: 'quiet.fromHour', message: 'must be a number from 0 to 23' },
      { option: 'quiet.till', message: 'is unknown' },
      { option: 'tune', message: 'is unknown' },
    ])
    expect(error.option).toBe('names.1')
    expect(error.message).toBe(
      'createDoorbell: option "names.1" must be a string that is not blank; option "find" is required: must be an object with find; ' +
        'option "onRing" must be a function; option "quiet.fromHour" must be a number from 0 to 23; ' +
        'unknown option "quiet.till"; unknown option "tune"',
    )
    expect(Object.isFrozen(error.problems) && error.problems.every(Object.isFrozen)).toBe(true)
  })

  it.each([null, undefined, 'text', 1, [], () => ({})])('refuses options that are no object: %j', (options) => {
    const { message, option } = errorOf(options)
    expect([message, option]).toEqual(['createDoorbell: options must be an object', ''])
  })

  it('does not see what sits on a prototype, in a group neither', () => {
    expect(errorOf(Object.create(GOOD)).option).toBe('names')
    expect(errorOf({ ...GOOD, quiet: Object.create({ fromHour: 1 }) }).option).toBe('quiet.fromHour')
  })

  it('never shows a value', () => {
    const secret = 'hunter2-hunter2'
    expect(errorOf({ names: secret, find: secret, tone: secret, quiet: { fromHour: secret } }).message).not.toContain(
      secret,
    )
  })
})

describe('a check of one value', () => {
  const problemsOf = (type: OptionType<unknown>, value: unknown): unknown => {
    try {
      return parseOptions<{ readonly it: unknown }>('f', { it: type } as never, { it: value }).it
    } catch (error) {
      return (error as OptionsError).problems.map(({ option, message }) => `${option} ${message}`)
    }
  }

  it.each<[string, OptionType<unknown>, unknown]>([
    ['aBoolean', aBoolean(), false],
    ['oneOf', oneOf('a', 'b'), 'b'],
    ['orNull', orNull(aName()), null],
    ['orNull', orNull(aName()), 'a'],
    ['aListOf', aListOf(aName()), []],
    ['aFilledListOf', aFilledListOf(aName()), ['a', 'b']],
    ['aRecordOf', aRecordOf(aName()), { a: 'b', c: 'd' }],
    ['aRecordOf', aRecordOf(aName()), Object.assign(Object.create(null), { a: 'b' })],
  ])('%s takes what it is for: %#', (_, type, value) => {
    expect(problemsOf(type, value)).toEqual(value)
  })

  it.each<[string, OptionType<unknown>, unknown, readonly string[]]>([
    ['aBoolean', aBoolean(), 'true', ['it must be of type boolean']],
    ['oneOf', oneOf('a', 'b'), 'c', ['it must be one of "a", "b"']],
    [
      'oneOf',
      oneOf('a', 'b'),
      undefined,
      ['it is required (got undefined: is the variable set?): must be one of "a", "b"'],
    ],
    ['orNull', orNull(aName()), ' ', ['it must be a string that is not blank']],
    ['orNull', orNull(aListOf(aName())), [1], ['it.0 must be a string that is not blank']],
    ['aListOf', aListOf(aName()), { 0: 'a', length: 1 }, ['it must be of type array']],
    ['aListOf', aListOf(aName()), undefined, ['it is required (got undefined: is the variable set?)']],
    // biome-ignore lint/suspicious/noSparseArray: what is under test
    ['aListOf', aListOf(aName()), ['a', , 'b'], ['it.1 must be a string that is not blank']],
    ['aFilledListOf', aFilledListOf(aName()), [], ['it must not be empty']],
    ['aFilledListOf', aFilledListOf(aName()), 'a', ['it must be of type array']],
    [
      'aRecordOf',
      aRecordOf(aName()),
      { a: '', b: 'c', d: 1 },
      ['it.a must be a string that is not blank', 'it.d must be a string that is not blank'],
    ],
    ['aRecordOf', aRecordOf(aName()), new Map(), ['it must be of type record']],
    ['aRecordOf', aRecordOf(aName()), new (class Options {})(), ['it must be of type record']],
    ['aRecordOf', aRecordOf(aName()), ['a'], ['it must be of type record']],
    ['aRecordOf', aRecordOf(aName()), undefined, ['it is required (got undefined: is the variable set?)']],
  ])('%s refuses what it is not: %#', (_, type, value, problems) => {
    expect(problemsOf(type, value)).toEqual(problems)
  })

  it('aRecordOf keeps a name of a prototype as an own member', () => {
    const read = problemsOf(aRecordOf(aName()), JSON.parse('{"__proto__":"a"}')) as object
    expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toBe('a')
  })
})

it('checkedBy says the sentence of its function', () => {
  const even = { n: checkedBy<number>((value) => (value === 2 ? null : `must be 2, not a ${typeof value}`)) }
  expect(() => parseOptions<{ readonly n: unknown }>('f', even, { n: 'x' })).toThrow(
    expect.objectContaining({ problems: [{ option: 'n', message: 'must be 2, not a string' }] }),
  )
  expect(parseOptions('f', even, { n: 2 }).n).toBe(2)
})

describe('aGroupOfKind', () => {
  type Key = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'number'; readonly number: number }
  const keys: Shape<{ readonly keys: readonly Key[] }> = {
    keys: aListOf(
      aGroupOfKind<Key>({
        text: () => ({ kind: oneOf('text'), text: aName() }),
        number: () => ({ kind: oneOf('number'), number: aNumber(1, 9) }),
      }),
    ),
  }
  const problemsOf = (...given: readonly unknown[]): unknown => {
    try {
      return parseOptions<{ readonly keys: readonly Key[] }>('f', keys, { keys: given as Key[] }).keys
    } catch (error) {
      return (error as OptionsError).problems
    }
  }

  it('reads each by its kind, strictly', () => {
    expect(problemsOf({ kind: 'number', number: 7 })).toEqual([{ kind: 'number', number: 7 }])
    expect(problemsOf({ kind: 'text', text: 'a' }, { kind: 'number', number: 0, text: 'a' })).toEqual([
      { option: 'keys.1.number', message: 'must be a number from 1 to 9' },
      { option: 'keys.1.text', message: 'is unknown' },
    ])
  })

  it.each([null, 'text', {}, { kind: 'texts' }, { kind: 'toString' }, Object.create({ kind: 'text' })])(
    'asks for a kind: %j',
    (given) => {
      expect(problemsOf(given)).toEqual([{ option: 'keys.0.kind', message: 'must be one of "text", "number"' }])
    },
  )
})

it('optionsError names one option', () => {
  const error = optionsError('createX', 'keys.0.url', 'must be an https URL')
  expect([error.message, error.option]).toEqual(['createX: option "keys.0.url" must be an https URL', 'keys.0.url'])
})

// What the compiler refuses: each line would otherwise be a check that an options type has and its shape has not.
const WRONG_SHAPES = {
  // @ts-expect-error an option without a check
  missing: ((): Shape<{ a: string; b: string }> => ({ a: aName() })) as unknown,
  // @ts-expect-error a check without an option
  excess: ((): Shape<{ a: string }> => ({ a: aName(), b: aName() })) as unknown,
  // @ts-expect-error a check that lets in what the type has not
  wider: ((): Shape<{ a: 1 }> => ({ a: aNumber(0, 9) })) as unknown,
  // @ts-expect-error an optional option that would be asked for
  required: ((): Shape<{ a?: string | undefined }> => ({ a: aName() })) as unknown,
  // @ts-expect-error a required option that could be left out
  optional: ((): Shape<{ a: string }> => ({ a: optional(aName()) })) as unknown,
}

it('a shape that is none is a matter of the compiler alone', () => {
  expect(Object.values(WRONG_SHAPES)).toHaveLength(5)
})
