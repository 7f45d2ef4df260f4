// T2: one byte string, one spelling.
import { expect, it } from 'vitest'
import { decodeBase64Url, decodeBase64UrlBinary, isBase64Url } from '../../src/lib/base64url.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

it('decodes what it should, of every length', () => {
  for (let length = 0; length < 200; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length))
    const text = Buffer.from(bytes).toString('base64url')
    expect(isBase64Url(text)).toBe(true)
    expect(decodeBase64Url(text)).toEqual(bytes)
    expect(decodeBase64UrlBinary(text)).toBe(Buffer.from(bytes).toString('latin1'))
  }
})

it('takes exactly the texts that encode to themselves: all of two letters, all tails of three', () => {
  for (const a of LETTERS) {
    for (const b of LETTERS) {
      for (const text of [a + b, `A${a}${b}`]) {
        const canonical = Buffer.from(text, 'base64url').toString('base64url') === text
        expect(isBase64Url(text), text).toBe(canonical)
        expect(decodeBase64Url(text) !== null, text).toBe(canonical)
      }
    }
  }
})

it.each([
  'A',
  'AAAAA',
  'AA==',
  'AAA=',
  'AA+A',
  'AA/A',
  'AA A',
  'AAAA\n',
  '\tAAAA',
  'AA\u00e9A',
  'AA\uff21A',
  'AA\ud800A',
  'AAAA=',
  '=',
  '.',
])('refuses %j', (text) => {
  expect(isBase64Url(text)).toBe(false)
  expect(decodeBase64Url(text)).toBeNull()
  expect(decodeBase64UrlBinary(text)).toBeNull()
})
