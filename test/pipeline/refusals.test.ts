/** Each refusal of `refusals.ts` is provoked here and answered to the byte. `refusal-list.test.ts` keeps that list complete. */
import { describe, expect, it } from 'vitest'
import { bytesOf } from '../refusal-bytes.ts'
import { REFUSALS } from './refusals.ts'
import { createWorld, refusalOf } from './world.ts'

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
})
