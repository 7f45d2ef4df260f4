// T1, T8: one signature, one key. Any bytes at all may stand for a signature; none of them makes the check throw.
import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { importKeys } from '../../src/verify/jwk-import.ts'
import { isSignedBy } from '../../src/verify/key-choice.ts'

const issuer = await createTokenIssuer({ algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'] })
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
  const [header, payload, last] = token.split('.') as [string, string, string]
  const signature = base64url.decode(last)
  const key = await keyOf(algorithm)
  const withSignature = (bytes: Uint8Array): string => `${header}.${payload}.${base64url.encode(bytes)}`

  it('knows its own signature', async () => {
    expect(await isSignedBy(key, token)).toBe(true)
    expect(await isSignedBy(key, withSignature(signature))).toBe(true)
    const other = (await issuer.sign({ sub: 'somebody else' }, { algorithm })).split('.')[1] as string
    expect(await isSignedBy(key, `${header}.${other}.${last}`)).toBe(false)
  })

  it('refuses signatures of any other length or content', async () => {
    for (const size of [0, 1, 31, 32, 63, 64, 65, 72, 255, 256, 257, 512, 6000, signature.length]) {
      for (const fill of [0, 1, 0x30, 0x7f, 0x80, 0xff]) {
        expect(await isSignedBy(key, withSignature(new Uint8Array(size).fill(fill)))).toBe(false)
      }
    }
    for (const bytes of [signature.slice(1), signature.slice(0, -1), new Uint8Array([...signature, 0])]) {
      expect(await isSignedBy(key, withSignature(bytes))).toBe(false)
    }
  })

  it('refuses a key of another algorithm', async () => {
    for (const other of ALGORITHMS.filter((name) => name !== algorithm)) {
      expect(await isSignedBy(await keyOf(other), token)).toBe(false)
      expect(await isSignedBy(key, await issuer.sign({}, { algorithm: other }))).toBe(false)
    }
  })
})
