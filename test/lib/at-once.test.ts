import { expect, it, vi } from 'vitest'
import { answerOf, follow, isPending, toStep } from '../../src/lib/at-once.ts'

const thrown = new Error('no')
const refuse = (): never => {
  throw thrown
}

it('a step is asynchronous for whoever calls it, also where its answer is there or something is thrown', async () => {
  const double = toStep((n: number) => n * 2)
  expect([isPending(double(2)), await double(2)]).toEqual([true, 4])
  expect(await toStep(async (n: number) => n * 2)(3)).toBe(6)
  await expect(toStep(refuse)()).rejects.toBe(thrown)
  await expect(toStep(() => Promise.reject(thrown))()).rejects.toBe(thrown)
})

it('the answer of a step is had at once, and belongs to that very function', async () => {
  const step = toStep((n: number) => n * 2)
  expect(answerOf(step)(2)).toBe(4)
  const around = vi.fn((n: number) => step(n))
  for (const other of [around, step.bind(null)]) {
    expect(answerOf(other)).toBe(other)
    expect(isPending(answerOf(other)(2))).toBe(true)
  }
  expect(around).toHaveBeenCalledOnce()
})

it('a step that is wrapped in a Proxy is the wrapper', async () => {
  const step = new Proxy(
    toStep((n: number) => n * 2),
    { apply: async (target, _self, given: [number]) => (await target(...given)) + 1 },
  )
  expect(await answerOf(step)(2)).toBe(5)
})

it.each([
  ['a value', 2, false],
  ['null', null, false],
  ['nothing', undefined, false],
  ['a function', () => 2, false],
  ['a promise', Promise.resolve(2), true],
  // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's
  ['a promise of somebody else’s', { then: (resolve: (n: number) => void) => resolve(2) }, true],
])('%s is waited for: %s', async (_, answer, isWaitedFor) => {
  expect(isPending(answer)).toBe(isWaitedFor)
  const followed = follow(answer, (each) => [each])
  expect(isPending(followed)).toBe(isWaitedFor)
  expect(await followed).toEqual([isWaitedFor ? 2 : answer])
})

it('what is thrown on the way is thrown at once, or rejected with', async () => {
  expect(() => follow(1, refuse)).toThrow(thrown)
  await expect(follow(Promise.resolve(1), refuse)).rejects.toBe(thrown)
  await expect(follow(Promise.reject(thrown), () => 1)).rejects.toBe(thrown)
})
