// S2: digests and their comparison.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  isEqualConstantTime,
  sha256Hex,
  sha256HexByWebCrypto,
  sha256Key,
  sha256KeyByWebCrypto,
} from '../../src/lib/digest.ts'

describe('sha256Hex', () => {
  it.each(['', 'abc', 'Zoë 😀', 'x'.repeat(10_000), 'half \ud800 a pair'])(
    'digests %j as WebCrypto and Node do',
    async (text) => {
      const expected = createHash('sha256').update(text).digest('hex')
      expect(await sha256Hex(text)).toBe(expected)
      expect(await sha256HexByWebCrypto(text)).toBe(expected)
      const key = Buffer.from(expected, 'hex').toString('latin1')
      expect(await sha256Key(text)).toBe(key)
      expect(await sha256KeyByWebCrypto(text)).toBe(key)
    },
  )

  it('answers at once where the runtime can', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('isEqualConstantTime', () => {
  const digest = createHash('sha256').update('x').digest('hex')

  it('is equality', () => {
    expect(isEqualConstantTime(digest, `${digest}`)).toBe(true)
    expect(isEqualConstantTime(digest, digest.slice(1))).toBe(false)
    expect(isEqualConstantTime('', '')).toBe(true)
    for (let at = 0; at < digest.length; at += 1) {
      const letter = digest[at] === '0' ? '1' : '0'
      expect(isEqualConstantTime(digest, digest.slice(0, at) + letter + digest.slice(at + 1))).toBe(false)
    }
  })

  it('looks at every letter, wherever the first difference is', () => {
    for (const at of [0, 31, 63]) {
      let looked = 0
      const watched = new Proxy(new String(digest), {
        get: (target, name) => {
          if (name === 'charCodeAt') {
            return (index: number) => {
              looked += 1
              return index === at ? 0 : target.charCodeAt(index)
            }
          }
          return Reflect.get(target, name)
        },
      })
      expect(isEqualConstantTime(watched as unknown as string, digest)).toBe(false)
      expect(looked).toBe(64)
    }
  })
})
