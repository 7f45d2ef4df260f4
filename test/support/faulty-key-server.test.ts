import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { PATIENCE_MS, until } from '../patience.ts'
import { JWKS_FAULTS, type JwksFault, startFaultyKeyServer } from './faulty-key-server.ts'

const server = await startFaultyKeyServer((url) => createTokenIssuer({ issuer: url }))
const { issuer } = server
afterAll(() => server.close())
beforeEach(() => server.fault('ok'))

const ask = (url = server.jwksUrl, signal = AbortSignal.timeout(PATIENCE_MS)): Promise<Response> =>
  fetch(url, { redirect: 'manual', signal, headers: { connection: 'close' } })

const keysOf = async (): Promise<{ kid?: string; alg?: string; kty?: string }[]> =>
  ((await (await ask()).json()) as { keys: [] }).keys

// Whoever waits for what never ends gives up a second after it has got as far as it gets, whenever that is.
const ENDLESS: readonly JwksFault[] = ['hang', 'hang-in-body', 'drip']

/** What a careful client could make of the answer, by plain means. */
async function seen(mode: JwksFault): Promise<string> {
  await server.fault(mode)
  const { requests } = server
  const client = new AbortController()
  let isAnswered = false
  if (ENDLESS.includes(mode)) {
    void until(() => server.requests > requests && (isAnswered || mode === 'hang')).then(() =>
      setTimeout(() => client.abort(), 1000),
    )
  }
  return await ask(server.jwksUrl, client.signal).then(
    async (response) => {
      isAnswered = true
      return `${response.status} ${await response.text().then(
        ({ length }) => length,
        () => 'broken',
      )}`
    },
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name,
  )
}

const good = JSON.stringify(issuer.jwks()).length
const OBSERVED: Readonly<Record<JwksFault, string | RegExp>> = {
  ok: `200 ${good}`,
  refused: 'ECONNREFUSED',
  'status-401': /^401/,
  'status-404': /^404/,
  'status-429': /^429/,
  'status-500': /^500/,
  'status-503': /^503/,
  'no-content': '204 0',
  empty: '200 0',
  hang: 'AbortError',
  'hang-in-body': '200 broken',
  reset: 'ECONNRESET',
  'reset-in-body': '200 broken',
  drip: '200 broken',
  html: /^200 \d\d$/,
  'invalid-json': `200 ${good - 2}`,
  null: '200 4',
  array: `200 ${good + 2}`,
  oversize: `200 ${good + 1024 * 1024}`,
  'gzip-bomb': `200 ${good + 64 * 1024 * 1024}`,
  redirect: '307 0',
  'redirect-loop': '307 0',
  'bad-utf8': /^200/,
  'wrong-type': `200 ${good}`,
  slow: `200 ${good}`,
  'empty-set': '200 11',
  'no-keys-member': `200 ${good}`,
  'keys-an-object': /^200/,
  'duplicate-kids': /^200/,
  'without-kids': /^200/,
  'without-algs': /^200/,
  'unusable-keys': /^200/,
  'one-bad-entry': /^200/,
  'secret-inside': /^200/,
  'too-many-keys': /^200/,
  'other-keys': /^200/,
}

describe('each fault over a real socket', () => {
  it.each(JWKS_FAULTS.map(({ mode }) => mode))('%s', async (mode) => {
    const before = server.requests
    const expected = OBSERVED[mode]
    const observed = await seen(mode)
    if (typeof expected === 'string') expect(observed).toBe(expected)
    else expect(observed).toMatch(expected)
    expect(server.requests - before).toBe(mode === 'refused' ? 0 : 1)
    await server.fault('ok')
    expect((await ask()).status).toBe(200)
  })

  it('the list names every mode once, with a sentence', () => {
    const modes = JWKS_FAULTS.map(({ mode }) => mode)
    expect(modes.length).toBeGreaterThanOrEqual(30)
    expect([...new Set(modes)].sort()).toEqual(Object.keys(OBSERVED).sort())
    for (const { sentence } of JWKS_FAULTS) expect(sentence).toMatch(/^[A-Z].*\.$/)
    expect(new Set(JWKS_FAULTS.map(({ outcome }) => outcome)).size).toBe(3)
  })

  it('an unknown mode is a TypeError', async () => {
    await expect(server.fault('toString' as never)).rejects.toThrow(TypeError)
  })
})

describe('what the sets hold', () => {
  const at = async (mode: JwksFault) => {
    await server.fault(mode)
    return await keysOf()
  }

  it('duplicates, a stranger first, of the same type', async () => {
    const keys = await at('duplicate-kids')
    expect(keys.map(({ kid }) => kid)).toEqual(issuer.jwks().keys.flatMap(({ kid }) => [kid, kid]))
    expect(keys[0]?.kty).toBe(keys[1]?.kty)
    expect(keys[0]).not.toEqual(keys[1])
    expect(keys[1]).toEqual(issuer.jwks().keys[0])
  })

  it('members left out, others put in', async () => {
    expect((await at('without-kids')).some((key) => 'kid' in key)).toBe(false)
    expect((await at('without-algs')).some((key) => 'alg' in key)).toBe(false)
    expect((await at('unusable-keys')).some(({ kid }) => kid === 'es256-1')).toBe(false)
    expect(await at('one-bad-entry')).toEqual(expect.arrayContaining([...issuer.jwks().keys, null]))
    expect((await at('too-many-keys')).length).toBe(303)
    expect((await at('secret-inside'))[0]?.kty).toBe('oct')
    expect((await at('other-keys')).map(({ kid }) => kid)).toEqual(['stranger-ES256'])
  })

  it('the bytes of bad-utf8 are no UTF-8, the type of wrong-type is text', async () => {
    await server.fault('bad-utf8')
    const bytes = await (await ask()).arrayBuffer()
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow()
    await server.fault('wrong-type')
    expect((await ask()).headers.get('content-type')).toBe('text/plain')
  })

  it('a redirect leads to the good keys and is counted', async () => {
    await server.fault('redirect')
    const followed = server.followedRedirects
    expect(await (await fetch(server.jwksUrl)).json()).toEqual(issuer.jwks())
    expect(server.followedRedirects - followed).toBe(1)
  })
})

it('counts who asks for the discovery document', async () => {
  const before = server.discoveryRequests
  expect((await ask(`${server.url}/.well-known/openid-configuration`)).status).toBe(200)
  expect(server.discoveryRequests - before).toBe(1)
})

it('goes away at once while answers hang, and comes back on its port', async () => {
  const own = await startFaultyKeyServer(issuer)
  await own.fault('hang')
  const hanging = ask(own.jwksUrl).catch((error: Error) => error)
  await until(() => own.requests > 0)
  await own.fault('refused')
  expect(await hanging).toBeInstanceOf(TypeError)
  await expect(ask(own.jwksUrl)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await own.fault('ok')
  expect((await ask(own.jwksUrl)).status).toBe(200)
  await own.close()
  await own.close()
})
