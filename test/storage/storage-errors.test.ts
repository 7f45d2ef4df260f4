/** Which failures pass by themselves: a network that a transaction's work met is not the storage's, and a refusal stays one. */
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { ConflictError, causesOf, isTransient, TransientError } from '../../src/storage/storage-errors.ts'

const coded = (code: string): Error => Object.assign(new Error('x'), { code })

describe('a failure', () => {
  it('of the network passes where a statement met it, and says nothing where work did that may have asked others', () => {
    for (const error of [coded('ECONNREFUSED'), new Error('x', { cause: coded('ETIMEDOUT') })]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([true, false])
    }
    for (const error of [coded('40001'), coded('57P01'), new TransientError('x'), new Error('Connection terminated')]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([true, true])
    }
  })

  it('that is a refusal or a conflict is one, whatever caused it', () => {
    const cause = coded('40001')
    for (const error of [new AuthError('forbidden', { cause }), new ConflictError('x', { cause })]) {
      expect([isTransient(error, 'statement'), isTransient(error, 'work')]).toEqual([false, false])
    }
  })

  it('is looked through no further than sixteen causes, also where they go in a circle', () => {
    const far = Array.from({ length: 40 }).reduce<Error>((cause) => new Error('x', { cause }), coded('40001'))
    expect([causesOf(far).length <= 32, isTransient(far, 'statement')]).toEqual([true, false])
    const circle = new Error('x')
    circle.cause = circle
    expect(isTransient(circle, 'statement')).toBe(false)
  })
})
