// S2: digests and their comparison.
import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
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

describe('a runtime with a digest by name alone', () => {
  const missing = (): never => {
    throw new Error('not implemented')
  }

  it.each([
    ['throws', missing],
    // All tokens would be one.
    ['answers the same to all', () => ''],
    ['answers nothing', () => undefined],
  ])('that %s: WebCrypto serves instead', async (_, hash) => {
    vi.resetModules()
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ hash } as never)
    try {
      const fresh = await import('../../src/lib/digest.ts')
      expect(await fresh.sha256Hex('abc')).toBe(await sha256Hex('abc'))
      expect(await fresh.sha256Key('abc')).toBe(await sha256Key('abc'))
    } finally {
      builtin.mockRestore()
    }
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
