/** Lines that nobody has asked for: one at most once a second, and not kept without end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLinePrinter, describeCause, isDevelopment, notify, showsColors } from '../../src/lib/standard-error.ts'
import { ConflictError, toStorageError } from '../../src/storage/storage-errors.ts'

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)))
})
afterEach(() => void vi.restoreAllMocks())

it('one line is printed once a second, by the clock, also when that is set back', () => {
  let now = 1_000_000
  const print = createLinePrinter(() => now)
  const at = (ms: number): number => {
    now = ms
    const before = lines.length
    print('a')
    return lines.length - before
  }
  expect([at(1_000_000), at(1_000_000), at(1_000_999), at(1_001_000), at(1_001_500), at(1_002_000)]).toEqual([
    1, 0, 0, 1, 0, 1,
  ])
  expect([at(500_000), at(500_500), at(501_000)]).toEqual([1, 0, 1])
  print('b')
  expect(lines.at(-1)).toBe('b')
})

it('lines that all differ are not kept without end', () => {
  const sizes: number[] = []
  const { set } = Map.prototype
  vi.spyOn(Map.prototype, 'set').mockImplementation(function keeping(this: Map<unknown, unknown>, ...given) {
    const kept = Reflect.apply(set, this, given) as Map<unknown, unknown>
    sizes.push(kept.size)
    return kept
  })
  const print = createLinePrinter(() => 0)
  for (let n = 0; n < 1000; n++) print(String(n))
  const largest = Math.max(...sizes)
  vi.restoreAllMocks()
  expect(largest).toBe(100)
})

it('a console that throws changes nothing for whoever prints', () => {
  vi.mocked(console.error).mockImplementation(() => {
    throw new Error('closed')
  })
  const hook = (): never => {
    throw new Error('x')
  }
  expect(() => notify('onEvent', hook, 1)).not.toThrow()
  expect(() => createLinePrinter(() => 0)('a')).not.toThrow()
})

it('of a conflict the constraint is said that this library has found; what another class calls one may be a value', () => {
  class Other extends Error {
    override readonly name = 'ConflictError'
    readonly constraint = 'ann@example.com\n\u001b[2J'
  }
  expect(describeCause(new Other('x'))).toBe('ConflictError')
  expect(describeCause(Object.assign(new Other('x'), { constraint: 'hunter2' }))).toBe('ConflictError')
  const found = toStorageError(Object.assign(new Error('x'), { code: '23505', constraint: 'users_email_key' }))
  expect(describeCause(found)).toBe('23505 users_email_key')
  expect(describeCause(Object.assign(new ConflictError('x'), { constraint: 'a\nb' }))).toBe('ConflictError')
})

it('where the environment may not be read, nobody builds here, and nothing is coloured that should not be', () => {
  const { env, stderr } = process
  const unread = new Proxy({}, { get: () => expect.fail('not capable') })
  vi.stubGlobal('process', { env: unread, stderr: { isTTY: true } })
  expect([isDevelopment(), showsColors()]).toEqual([false, false])
  vi.stubGlobal('process', { env: {}, stderr: { isTTY: true } })
  expect([isDevelopment(), showsColors()]).toEqual([true, true])
  vi.stubGlobal('process', { stderr })
  expect(isDevelopment()).toBe(false)
  vi.unstubAllGlobals()
  expect(process.env).toBe(env)
})
