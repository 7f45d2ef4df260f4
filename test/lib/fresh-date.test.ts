import { describe, expect, it } from 'vitest'
import { withFreshDate } from '../../src/lib/fresh-date.ts'

describe('A date in a frozen object', () => {
  it('is another one at each look, so that nobody changes what others see', () => {
    const row = Object.freeze(withFreshDate({ id: 'a' }, 'createdAt', 1000))
    row.createdAt.setTime(0)
    expect(row).toEqual({ id: 'a', createdAt: new Date(1000) })
    expect(row.createdAt).not.toBe(row.createdAt)
  })

  it('is there for spreads, for JSON and for heirs', () => {
    const row = withFreshDate(withFreshDate({}, 'from', 0), 'to', 1000)
    expect({ ...row }).toEqual({ from: new Date(0), to: new Date(1000) })
    expect(JSON.stringify(row)).toBe('{"from":"1970-01-01T00:00:00.000Z","to":"1970-01-01T00:00:01.000Z"}')
    expect((Object.create(row) as typeof row).to).toEqual(new Date(1000))
  })
})
