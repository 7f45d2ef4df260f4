// A1: the form of a key, its checksum before any storage, 256 bits of secret.
import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, createKeyFormat, isKeyId } from '../../src/api-keys/key-format.ts'

const format = createKeyFormat('test', 'itk')
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const withChecksum = (text: string): string => {
  let [rest, letters] = [crc32(text), '']
  while (letters.length < 6) [rest, letters] = [Math.floor(rest / 62), LETTERS.charAt(rest % 62) + letters]
  return `${text}_${letters}`
}
const numberOf = (letters: string): bigint =>
  [...letters].reduce((value, letter) => value * 62n + BigInt(LETTERS.indexOf(letter)), 0n)
const ofValue = (value: bigint): string => {
  let [rest, letters] = [value, '']
  while (letters.length < 43) [rest, letters] = [rest / 62n, LETTERS.charAt(Number(rest % 62n)) + letters]
  return letters
}

describe('crc32', () => {
  it.each([
    ['', 0],
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %j is the published value', (text, value) => expect(crc32(text)).toBe(value))

  it('agrees with zlib, where the runtime has it', () => {
    if (typeof zlibCrc32 !== 'function') return
    for (let i = 0; i < 100; i++) {
      const { key } = format.create()
      expect(crc32(key)).toBe(zlibCrc32(key))
    }
  })
})

describe('a new key (A1)', () => {
  it('has the form prefix_id_secret_checksum, and reads back as its parts', () => {
    for (let i = 0; i < 200; i++) {
      const { id, secret, key } = format.create()
      expect(key).toMatch(/^itk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/)
      expect(key).toBe(withChecksum(`itk_${id}_${secret}`))
      expect(numberOf(secret)).toBeLessThan(2n ** 256n)
      expect(format.parse(key)).toEqual({ id, secret })
      expect(isKeyId(id)).toBe(true)
    }
  })

  it('keeps the id it is given, with a secret of its own', () => {
    const first = format.create()
    const second = format.create(first.id)
    expect(second.id).toBe(first.id)
    expect(second.secret).not.toBe(first.secret)
    expect(format.parse(second.key)).toEqual({ id: first.id, secret: second.secret })
  })

  it('is never the same twice, and uses every letter alike in its id', () => {
    const counts = new Map<string, number>()
    const ids = new Set<string>()
    for (let i = 0; i < 5000; i++) {
      const { id } = format.create()
      ids.add(id)
      for (const letter of id) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
    expect(ids.size).toBe(5000)
    // 60,000 letters: 968 of each expected, deviation 31; six of them is a chance of one in a million.
    expect(counts.size).toBe(62)
    for (const count of counts.values()) expect(Math.abs(count - 60_000 / 62)).toBeLessThan(190)
  })
})

describe('parse refuses (A1)', () => {
  const { id, secret, key } = format.create()

  it('every key with one letter changed, left out, doubled or swapped with its neighbour', () => {
    for (let i = 0; i < key.length; i++) {
      for (const letter of ['0', 'A', 'z', '_', '-', ' ', 'é', '\0']) {
        if (letter !== key[i]) expect(format.parse(key.slice(0, i) + letter + key.slice(i + 1))).toBeNull()
      }
      expect(format.parse(key.slice(0, i) + key.slice(i + 1))).toBeNull()
      expect(format.parse(key.slice(0, i) + key[i] + key.slice(i))).toBeNull()
      const swapped = key.slice(0, i) + (key[i + 1] ?? '') + key[i] + key.slice(i + 2)
      if (swapped !== key) expect(format.parse(swapped)).toBeNull()
    }
  })

  it.each([
    ['nothing', ''],
    ['the prefix alone', 'itk_'],
    ['another prefix', withChecksum(`ifkey_${id}_${secret}`)],
    ['a prefix in upper case', withChecksum(`ITK_${id}_${secret}`)],
    ['no secret', withChecksum(`itk_${id}_`)],
    ['an id that is too short', withChecksum(`itk_${id.slice(1)}_${secret}`)],
    ['an id that is too long', withChecksum(`itk_${id}x_${secret}`)],
    ['a secret that is too short', withChecksum(`itk_${id}_${secret.slice(1)}`)],
    ['a secret that is too long', withChecksum(`itk_${id}_0${secret}`)],
    ['a letter outside base62', withChecksum(`itk_${id}_${secret.slice(1)}-`)],
    ['a line feed at the end', `${key}\n`],
    ['white space around', ` ${key}`],
    ['a further part', `${key}_000000`],
    ['something long', `${key}${'0'.repeat(8000)}`],
  ])('%s', (_, text) => expect(format.parse(text)).toBeNull())

  it('a secret beyond 32 bytes, whose checksum is right: it would be a second spelling', () => {
    const last = withChecksum(`itk_${id}_${ofValue(2n ** 256n - 1n)}`)
    expect(format.parse(last)).toEqual({ id, secret: ofValue(2n ** 256n - 1n) })
    for (const value of [2n ** 256n, 2n ** 256n + 1n, 62n ** 43n - 1n]) {
      expect(format.parse(withChecksum(`itk_${id}_${ofValue(value)}`))).toBeNull()
    }
  })
})

describe('the prefix', () => {
  it.each(['ab', 'itk', 'ifkey', 'a1', 'a234567890123456'])('may be %s', (prefix) => {
    const made = createKeyFormat('test', prefix).create()
    expect(createKeyFormat('test', prefix).parse(made.key)).toEqual({ id: made.id, secret: made.secret })
  })

  it.each([
    '',
    'a',
    '1a',
    'Itk',
    'it_k',
    'it-k',
    'a2345678901234567',
    ' itk',
    'itk\n',
    'é1',
    null,
    undefined,
    5,
    ['itk'],
  ])('may not be %j', (prefix) => {
    expect(() => createKeyFormat('createX', prefix as never)).toThrow(TypeError)
    expect(() => createKeyFormat('createX', prefix as never)).toThrow('createX: option "prefix"')
  })
})

describe('isKeyId', () => {
  it.each(['', 'short', '0123456789abc', '0123456789a_', '0123456789a\n', '__proto__xyz', null, undefined, 12, {}])(
    'refuses %j',
    (id) => expect(isKeyId(id)).toBe(false),
  )
})
