// T1, T8: one signature, one key. Any bytes at all may stand for a signature; none of them makes the check throw.
import { describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { importKeys } from '../../src/verify/jwk-import.ts'
import { isSignedBy, toSignedBytes } from '../../src/verify/signature.ts'
import { readTokenForm } from '../../src/verify/token-form.ts'

const issuer = await createTokenIssuer({ algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'] })
const RULES = { maxTokenBytes: 8192, types: new Set(['jwt']) }
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA', 'HS256'] as const

async function keyOf(algorithm: (typeof ALGORITHMS)[number]): Promise<CryptoKey> {
  if (algorithm === 'HS256') {
    const bytes = new TextEncoder().encode(issuer.secret)
    return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  }
  const [key] = await importKeys([issuer.key(algorithm).publicJwk], new Set([algorithm]))
  return (key as { key: CryptoKey }).key
}

describe.each(ALGORITHMS)('%s', async (algorithm) => {
  const token = await issuer.sign({}, { algorithm })
  const form = readTokenForm(token, RULES)
  const key = await keyOf(algorithm)
  const signed = toSignedBytes(token)

  it('knows its own signature', async () => {
    expect(new TextDecoder().decode(signed)).toBe(token.split('.').slice(0, 2).join('.'))
    expect(await isSignedBy(key, form, signed)).toBe(true)
    expect(await isSignedBy(key, form, toSignedBytes(`x${token}`))).toBe(false)
  })

  it('refuses signatures of any other length or content', async () => {
    const { length } = form.signature
    for (const size of [0, 1, 31, 32, 63, 64, 65, 72, 255, 256, 257, 512, 6000, length]) {
      for (const fill of [0, 1, 0x30, 0x7f, 0x80, 0xff]) {
        const signature = new Uint8Array(size).fill(fill)
        expect(await isSignedBy(key, { ...form, signature }, signed)).toBe(false)
      }
    }
    for (const signature of [
      form.signature.slice(1),
      form.signature.slice(0, -1),
      new Uint8Array([...form.signature, 0]),
    ]) {
      expect(await isSignedBy(key, { ...form, signature }, signed)).toBe(false)
    }
  })

  it('refuses a key of another algorithm', async () => {
    for (const other of ALGORITHMS.filter((name) => name !== algorithm)) {
      expect(await isSignedBy(await keyOf(other), form, signed)).toBe(false)
      expect(await isSignedBy(key, { ...form, algorithm: other }, signed)).toBe(false)
    }
  })
})
