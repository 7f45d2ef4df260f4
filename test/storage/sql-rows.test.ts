import { describe, expect, it } from 'vitest'
import { toTexts } from '../../src/storage/sql-rows.ts'

describe('a list of texts in one column', () => {
  it('is read as it is, frozen', () => {
    expect(toTexts('["b","a",""]')).toEqual(['b', 'a', ''])
    expect(Object.isFrozen(toTexts('[]'))).toBe(true)
  })

  // "things:read things:write".includes('things:write')
  it.each(['"things:read things:write"', '{"0":"things:read"}', '[["things:read"]]', '[7]', '[null]', 'null', '7'])(
    'is no %s',
    (text) => expect(() => toTexts(text)).toThrow('a column that holds a list of texts as JSON holds something else'),
  )
})
