/** Each refusal of `refusals.ts` is provoked here and answered to the byte. `refusal-list.test.ts` keeps that list complete. */
import { describe, expect, it } from 'vitest'
import { readAnswers } from '../../scripts/reasons.ts'
import { reasonTexts } from '../../src/explain/reason-texts.ts'
import { bytesOf } from '../refusal-bytes.ts'
import { REFUSALS } from './refusals.ts'
import { createWorld, refusalOf } from './world.ts'

const TEXTS = reasonTexts()
const ANSWERS = readAnswers()

describe('each refusal', () => {
  it.each(REFUSALS)('$reason is $code, to the byte', async ({ reason, code, wire, provoke }) => {
    const world = createWorld()
    const error = await refusalOf(async () => provoke(world))
    expect(error.reason).toBe(reason)
    expect(error.code).toBe(code)
    const { status, headers, body } = bytesOf(code, wire)
    expect(world.auth.toResponse(error)).toEqual({ status, headers, body })
    expect(JSON.stringify([headers, body])).not.toContain(reason === code ? '\0' : reason)
  })

  // Where there is nothing to say, the texts of the reason say nothing.
  it.each(REFUSALS)(
    '$reason says what it expected and got as its texts have it, and not to the client',
    async (refusal) => {
      const world = createWorld()
      const { expected, got, headers, message } = await refusalOf(async () => refusal.provoke(world))
      const told = TEXTS.get(refusal.reason)
      expect([expected !== null, got !== null]).toEqual([told?.expected !== undefined, told?.got !== undefined])
      expect(ANSWERS.get(refusal.reason)).toContain(`\`${refusal.code}\``)
      for (const text of [expected, got]) {
        expect(text === null || (text !== '' && !/undefined|NaN|\[object/.test(text))).toBe(true)
        if (text !== null && refusal.code !== 'insufficient_scope')
          expect([message, ...Object.values(headers)]).not.toContain(text)
      }
    },
  )
})
