/** What a client may have written never breaks a line of a log, and is no secret and nobody's address there. */
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { toLogText } from '../../src/lib/log-text.ts'

describe('toLogText', () => {
  it.each([
    ['keeps a plain text', 'https://id.example.test/auth/v1', 'https://id.example.test/auth/v1'],
    ['keeps what is escaped for a URL', 'GET /of/a%20b/100%', 'GET /of/a%20b/100%'],
    ['replaces what breaks a line', 'a\r\nlevel=info\u2028b\u0085c', 'a\u{fffd}\u{fffd}level=info\u{fffd}b\u{fffd}c'],
    [
      'replaces escapes, marks of direction and half characters',
      '\u001b[31m\u202e\ud800',
      '\u{fffd}[31m\u{fffd}\u{fffd}',
    ],
    ['blanks out addresses', 'ada@example.test, bot@b.test', '…@example.test, …@b.test'],
    ['blanks out an address in a path', 'GET /of/ada%40example.test/x', 'GET …@example.test/x'],
    ['blanks out the password of a URL', 'https://user:pass@id.test/', '…@id.test/'],
    ['blanks out a token', `a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl b`, 'a … b'],
    ['blanks out what is too long for an id', `itk_${'a'.repeat(70)} x`, '… x'],
    ['keeps a long list of short words', 'HS256, ES256-'.repeat(15), 'HS256, ES256-'.repeat(15)],
    ['blanks out a long word behind them', `${'HS256, '.repeat(9)}${'a'.repeat(65)}`, `${'HS256, '.repeat(9)}…`],
    ['keeps 200 characters', 'a '.repeat(300), `${'a '.repeat(99)}a…`],
  ])('%s', (_, text, kept) => {
    expect(toLogText(text)).toBe(kept)
  })

  it('keeps 200 characters of a very long text', () => {
    expect(toLogText('a.'.repeat(2_000_000))).toHaveLength(200)
  })
})

describe('expected and got of an AuthError', () => {
  it('are null where nothing was said', () => {
    expect(new AuthError('not_found')).toMatchObject({ expected: null, got: null })
    expect(new AuthError('not_found', { expected: undefined, got: 7 as never })).toMatchObject({
      expected: null,
      got: null,
    })
  })

  it('are fit for a log, and not on the wire', () => {
    const error = new AuthError('forbidden', { reason: 'own', expected: 'gold\n', got: 'ada@example.test' })
    expect(error).toMatchObject({ expected: 'gold\u{fffd}', got: '…@example.test' })
    expect(Object.values(error.headers).join()).not.toContain('gold')
  })
})
