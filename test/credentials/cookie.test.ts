import { describe, expect, it } from 'vitest'
import { hasCookie, readCookie } from '../../src/credentials/cookie.ts'
import { reasonOf } from '../pipeline/world.ts'

// [what, Cookie lines, value, whether the cookie is there]
const CASES: readonly (readonly [string, readonly string[], string | null, boolean])[] = [
  ['no header', [], null, false],
  ['the cookie', ['session=a'], 'a', true],
  ['the cookie among others', ['x=1; session=a;y=2'], 'a', true],
  ['the cookie on a second line', ['x=1', 'session=a'], 'a', true],
  ['the same value twice', ['session=a; session=a'], 'a', true],
  ['an empty value', ['session='], null, true],
  ['an empty value beside a real one', ['session=; session=a'], 'a', true],
  ['a value with an equals sign', ['session=a=b'], 'a=b', true],
  ['another case of the name', ['Session=a'], null, false],
  ['a name that ends so', ['my-session=a'], null, false],
  ['a name that begins so', ['sessions=a'], null, false],
  ['the name inside a value', ['x=session=a'], null, false],
  ['a no-break space before the name: another name', ['\u00a0session=a'], null, false],
  ['a vertical tab before the name', ['x=1;\x0bsession=a'], null, false],
  ['a byte order mark before the name', ['\ufeffsession=a'], null, false],
  ['a space before the equals sign', ['session =a'], null, false],
  ['space and tab around the pair', [' x=1\t; \tsession=a \t;'], 'a', true],
  ['a no-break space behind the value', ['session=a\u00a0'], 'a\u00a0', true],
  ['the name without a value', ['session'], null, false],
]

describe('the session cookie', () => {
  it.each(CASES)('reads %s', (_what, lines, value, present) => {
    expect(readCookie(lines, 'session', 10)).toBe(value)
    expect(hasCookie(lines, 'session')).toBe(present)
  })

  it('refuses two different values: one of them was tossed in (H6)', async () => {
    expect(await reasonOf(() => readCookie(['session=a; session=b'], 'session', 10))).toBe('cookie_ambiguous')
    expect(await reasonOf(() => readCookie(['session=a', 'session=b'], 'session', 10))).toBe('cookie_ambiguous')
  })

  it('refuses a value over the limit', async () => {
    expect(readCookie([`session=${'x'.repeat(10)}`], 'session', 10)).toHaveLength(10)
    expect(await reasonOf(() => readCookie([`session=${'x'.repeat(11)}`], 'session', 10))).toBe('cookie_too_long')
  })
})
