import { describe, expect, it } from 'vitest'
import { readBearer, requireBearerSize } from '../../src/credentials/bearer.ts'
import { reasonOf } from '../pipeline/world.ts'

// [what, lines, token]
const READ: readonly (readonly [string, readonly string[], string | null])[] = [
  ['no header', [], null],
  ['a token', ['Bearer abc'], 'abc'],
  ['any case of the scheme', ['bEaReR abc'], 'abc'],
  ['several spaces', ['Bearer    abc'], 'abc'],
  ['another scheme', ['Basic abc'], null],
  ['DPoP', ['DPoP abc'], null],
  ['a scheme that only begins so', ['Bearerabc'], null],
  ['a scheme that only begins so, with a token', ['Bearers abc'], null],
  ['an empty header', [''], null],
  ['a token without a scheme', ['abc'], null],
  ['odd token text, for the verifier to refuse', ['Bearer "a%b=é"'], '"a%b=é"'],
]

const REFUSED: readonly (readonly [string, readonly string[], string])[] = [
  ['two lines', ['Bearer a', 'Bearer b'], 'authorization_repeated'],
  ['the same line twice', ['Bearer a', 'Bearer a'], 'authorization_repeated'],
  ['two lines of other schemes', ['Basic a', 'Basic b'], 'authorization_repeated'],
  ['a bearer beside another scheme', ['Basic a', 'Bearer b'], 'authorization_repeated'],
  ['the scheme alone', ['Bearer'], 'bearer_token_missing'],
  ['the scheme and a space', ['Bearer '], 'bearer_token_missing'],
  ['a space inside', ['Bearer a b'], 'bearer_token_malformed'],
  ['a space at the end', ['Bearer a '], 'bearer_token_malformed'],
  ['a tab inside', ['Bearer a\tb'], 'bearer_token_malformed'],
  ['a tab after the scheme', ['Bearer\ta'], 'bearer_token_malformed'],
  ['a comma inside', ['Bearer a,b'], 'bearer_token_malformed'],
  ['two joined by a comma', ['Bearer a, Bearer b'], 'bearer_token_malformed'],
]

describe('the bearer header', () => {
  it.each(READ)('reads %s', (_what, lines, token) => {
    expect(readBearer(lines)).toBe(token)
  })

  it.each(REFUSED)('refuses %s', async (_what, lines, reason) => {
    expect(await reasonOf(() => readBearer(lines))).toBe(reason)
  })

  it('measures the token, not the line, and any line', async () => {
    expect(() => requireBearerSize([`Bearer    ${'x'.repeat(10)}`], 10)).not.toThrow()
    expect(() => requireBearerSize([`Basic ${'x'.repeat(11)}`], 10)).not.toThrow()
    expect(await reasonOf(() => requireBearerSize([`Bearer ${'x'.repeat(11)}`], 10))).toBe('bearer_token_too_long')
    expect(await reasonOf(() => requireBearerSize(['Bearer a', `Bearer ${'x'.repeat(11)}`], 10))).toBe(
      'bearer_token_too_long',
    )
  })
})
