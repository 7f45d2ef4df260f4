// K1, K2: the limits of one fetch, over a `fetch` that does what it likes. Real servers: key-server-faults.test.ts.
import { describe, expect, it, vi } from 'vitest'
import { failureWord, fetchJsonObject, keyFailure } from '../../src/verify/key-fetch.ts'

const URL_OF_KEYS = new URL('https://keys.test/jwks')

async function wordOf(answer: () => Response | Promise<Response>): Promise<string> {
  try {
    await fetchJsonObject(async () => await answer(), URL_OF_KEYS, new AbortController().signal)
    return 'ok'
  } catch (error) {
    return failureWord(error)
  }
}

describe('fetchJsonObject', () => {
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['an object', () => Response.json({ keys: [] }), 'ok'],
    ['256 KB', () => new Response(`{}${' '.repeat(256 * 1024 - 2)}`), 'ok'],
    ['a byte more', () => new Response(`{}${' '.repeat(256 * 1024 - 1)}`), 'too_large'],
    ['201', () => Response.json({}, { status: 201 }), 'status'],
    ['204', () => new Response(null, { status: 204 }), 'status'],
    ['500', () => Response.json({}, { status: 500 }), 'status'],
    ['302', () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }), 'redirect'],
    ['304', () => new Response(null, { status: 304 }), 'redirect'],
    [
      'a redirect that was followed all the same',
      () => Object.defineProperty(Response.json({}), 'redirected', { value: true }),
      'status',
    ],
    ['nothing', () => new Response(null), 'not_json'],
    ['half of it', () => new Response('{"keys":['), 'not_json'],
    ['no UTF-8', () => new Response(new Uint8Array([0x7b, 0xff, 0x7d])), 'not_json'],
    ['a list', () => Response.json([]), 'not_object'],
    ['null', () => Response.json(null), 'not_object'],
    ['a network error', () => Promise.reject(new TypeError('fetch failed')), 'network'],
    ['something odd thrown', () => Promise.reject('odd'), 'network'],
    [
      'a body that breaks',
      () => new Response(new ReadableStream({ pull: (c) => c.error(new Error('reset')) })),
      'network',
    ],
  ])('%s', async (_, answer, word) => {
    expect(await wordOf(answer)).toBe(word)
  })

  it('reads no further than the limit, and lets go of what it does not read', async () => {
    let pulled = 0
    let cancelled = 0
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            pulled += 1
            controller.enqueue(new Uint8Array(64 * 1024).fill(32))
          },
          cancel: () => {
            cancelled += 1
          },
        }),
      )
    expect(await wordOf(endless)).toBe('too_large')
    expect(pulled).toBeLessThanOrEqual(7)
    expect(cancelled).toBe(1)
    expect(await wordOf(() => new Response(endless().body, { status: 500 }))).toBe('status')
    expect(cancelled).toBe(2)
  })

  it('asks once, for JSON, and follows nothing', async () => {
    const fetcher = vi.fn(async (..._: Parameters<typeof fetch>) => Response.json({}))
    const { signal } = new AbortController()
    await fetchJsonObject(fetcher, URL_OF_KEYS, signal)
    expect(fetcher.mock.calls).toEqual([
      [
        'https://keys.test/jwks',
        { headers: { accept: 'application/json' }, redirect: 'manual', signal, cache: 'no-store' },
      ],
    ])
  })
})

it('names failures by one word', () => {
  expect(failureWord(keyFailure('status'))).toBe('status')
  expect(failureWord(new Error('secret text'))).toBe('network')
  expect(failureWord(undefined)).toBe('network')
})
