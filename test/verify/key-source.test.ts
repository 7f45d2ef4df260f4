// K2, K8: what a JWK Set must be to count as an answer; every failure by its word. Discovery: issuers.test.ts.
import { describe, expect, it } from 'vitest'
import { failureWord } from '../../src/lib/json-exchange.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { loadKeys } from '../../src/verify/key-source.ts'

const issuer = await createTokenIssuer({ algorithms: ['ES256', 'EdDSA'] })
const [good] = issuer.jwks().keys

async function load(body: unknown): Promise<unknown> {
  const fetcher = async (): Promise<Response> => Response.json(body)
  const algorithms = new Set(['ES256'] as const)
  try {
    const keys = await loadKeys(fetcher, 'https://keys.test', algorithms, new AbortController().signal)
    return keys.map(({ kid }) => kid)
  } catch (error) {
    return failureWord(error)
  }
}

describe('loadKeys', () => {
  it.each<[string, unknown, unknown]>([
    ['a good set', issuer.jwks(), ['es256-1']],
    ['a set with other members', { ...issuer.jwks(), version: 2 }, ['es256-1']],
    ['100 entries', { keys: [...Array.from({ length: 99 }, () => null), good] }, ['es256-1']],
    ['101 entries', { keys: [...Array.from({ length: 100 }, () => null), good] }, 'too_many_keys'],
    ['no keys member', { key: [good] }, 'no_keys_array'],
    ['keys by number', { keys: { 0: good, length: 1 } }, 'no_keys_array'],
    ['keys as text', { keys: JSON.stringify([good]) }, 'no_keys_array'],
    ['no keys', { keys: [] }, []],
    ['no keys, but something', { keys: [null] }, 'no_usable_key'],
    ['keys of another algorithm only', { keys: issuer.jwks().keys.slice(1) }, 'no_usable_key'],
  ])('%s', async (_, body, expected) => {
    expect(await load(body)).toEqual(expected)
  })
})
