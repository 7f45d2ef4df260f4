// The wrapped fetch over real sockets: where the token goes and where it doesn't, what happens after a 401.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createTokenClient } from 'sallyport/machine'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../patience.ts'
import { closing, createClient, createClock, serve, startIssuer, startService, thrownBy } from './bench.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly proxy: string | undefined
  readonly cookie: string | undefined
  readonly type: string | undefined
  readonly body: string
}

interface Recorder {
  readonly url: string
  readonly seen: Seen[]
}

/** A service that keeps what it got, and answers as told. */
async function record(answer: (seen: Seen, response: ServerResponse) => void): Promise<Recorder> {
  const seen: Seen[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { authorization, 'proxy-authorization': proxy, cookie, 'content-type': type } = request.headers
    const one = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization,
      proxy,
      cookie,
      type,
      body: String(Buffer.concat(parts)),
    }
    seen.push(one)
    answer(one, response)
  }
  return { seen, url: (await serve((request, response) => void handle(request, response))).url }
}

const ok = (_seen: Seen, response: ServerResponse): void => void response.end('ok')
const refuse = (_seen: Seen, response: ServerResponse): void => void response.writeHead(401).end('no')

function stream(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream()
}

describe('origins', () => {
  it('gets no request that names another one, nor a part of it', async () => {
    const issuer = await startIssuer(3600)
    const elsewhere = await record(ok)
    const { client } = createClient(issuer, { origins: ['http://127.0.0.1:1', 'https://api.example.com'] })
    const urls = [
      elsewhere.url,
      `${elsewhere.url}/?http://127.0.0.1:1`,
      elsewhere.url.replace('http://', 'http://127.0.0.1:1@'),
      elsewhere.url.replace('127.0.0.1', 'localhost'),
      'http://api.example.com/',
      'https://api.example.com:444/',
      'https://api.example.com.evil.test/',
      'data:text/plain,hello',
    ]
    for (const url of urls) {
      const errors = [await thrownBy(client.fetch(url)), await thrownBy(client.fetch(new URL(url)))]
      for (const error of errors) expect(error, url).toMatchObject({ code: 'origin_not_allowed' })
    }
    expect(await thrownBy(client.fetch(new Request(elsewhere.url)))).toMatchObject({ code: 'origin_not_allowed' })
    expect(await thrownBy(client.fetch('/relative'))).toBeInstanceOf(TypeError)
    expect(elsewhere.seen).toEqual([])
    expect(issuer.requests.password).toBe(0)
  })

  it('get the token, over whatever Authorization the caller set, and everything else as it was', async () => {
    const issuer = await startIssuer(3600)
    const service = await record(ok)
    const { client } = createClient(issuer, { origins: [service.url] })
    const authorization = `Bearer ${await client.token()}`
    await client.fetch(service.url, { headers: { Authorization: 'Basic eDp5', cookie: 'a=b' } })
    await client.fetch(new Request(`${service.url}/put`, { method: 'PUT', body: 'text', headers: { 'x-y': 'z' } }))
    await client.fetch(`${service.url}/form`, { method: 'POST', body: new URLSearchParams({ a: '1' }) })
    await client.fetch(`${service.url}/stream`, { method: 'POST', body: stream('flow') })
    await client.fetch(new Request(`${service.url}/over`, { method: 'POST', body: 'old' }), {
      method: 'PATCH',
      body: 'new',
    })
    expect(service.seen).toMatchObject([
      { method: 'GET', authorization, cookie: 'a=b', body: '' },
      { method: 'PUT', authorization, body: 'text' },
      { method: 'POST', authorization, body: 'a=1', type: 'application/x-www-form-urlencoded;charset=UTF-8' },
      { method: 'POST', authorization, body: 'flow' },
      { method: 'PATCH', authorization, body: 'new' },
    ])
  })
})

describe('redirects', () => {
  it('keep the token within the origin, and drop it for good with the first step outside', async () => {
    const issuer = await startIssuer(3600)
    const back: Recorder = await record((seen, response) =>
      seen.path === '/'
        ? void response.writeHead(302, { location: '/inside' }).end()
        : seen.path === '/inside'
          ? void response.writeHead(307, { location: `${outside.url}/outside` }).end()
          : void response.end('home'),
    )
    const outside = await record(
      (_seen, response) => void response.writeHead(308, { location: `${back.url}/home` }).end(),
    )
    const { client } = createClient(issuer, { origins: [back.url, outside.url] })
    const authorization = `Bearer ${await client.token()}`
    const headers = { cookie: 'session=1', 'proxy-authorization': 'Basic eDp5' }
    const answer = await client.fetch(back.url, { headers })
    expect([await answer.text(), answer.url]).toEqual(['home', `${back.url}/home`])
    expect(back.seen).toMatchObject([
      { authorization },
      { authorization, path: '/inside', cookie: 'session=1', proxy: 'Basic eDp5' },
      { path: '/home' },
    ])
    for (const { authorization: header, proxy, cookie } of [...outside.seen, ...back.seen.slice(2)]) {
      expect([header, proxy, cookie]).toEqual([undefined, undefined, undefined])
    }
  })

  it('does not take a 401 from elsewhere for a word on the token', async () => {
    const issuer = await startIssuer(3600)
    const outside = await record(refuse)
    const service = await record((_seen, response) => void response.writeHead(302, { location: outside.url }).end())
    const { client } = createClient(issuer, { origins: [service.url] })
    expect((await client.fetch(service.url)).status).toBe(401)
    expect(service.seen).toHaveLength(1)
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 0 })
  })

  it('change methods and bodies as the Fetch standard says', async () => {
    const issuer = await startIssuer(3600)
    const service = await record((seen, response) =>
      seen.path === '/there'
        ? void response.end()
        : void response.writeHead(Number(seen.path.slice(1)), { location: '/there' }).end(),
    )
    const { client } = createClient(issuer, { origins: [service.url] })
    const rows = []
    for (const status of [301, 302, 303, 307, 308]) {
      for (const method of ['POST', 'PUT', 'HEAD']) {
        await client.fetch(`${service.url}/${status}`, { method, ...(method !== 'HEAD' && { body: 'text' }) })
        const { method: sent, body, type } = service.seen.at(-1) as Seen
        rows.push(`${status} ${method}: ${sent} ${body} ${type?.slice(0, 10) ?? ''}`.trim())
      }
    }
    expect(rows).toEqual([
      ...['301 POST: GET', '301 PUT: PUT text text/plain', '301 HEAD: HEAD'],
      ...['302 POST: GET', '302 PUT: PUT text text/plain', '302 HEAD: HEAD'],
      ...['303 POST: GET', '303 PUT: GET', '303 HEAD: HEAD'],
      ...['307 POST: POST text text/plain', '307 PUT: PUT text text/plain', '307 HEAD: HEAD'],
      ...['308 POST: POST text text/plain', '308 PUT: PUT text text/plain', '308 HEAD: HEAD'],
    ])
    const sentOnce = client.fetch(`${service.url}/307`, { method: 'POST', body: stream('x') })
    expect(await thrownBy(sentOnce)).toBeInstanceOf(TypeError)
  })

  it('end after twenty, are handed out where the caller wants them so, and lead to http alone', async () => {
    const issuer = await startIssuer(3600)
    const service = await record((seen, response) => {
      const location = seen.path === '/ftp' ? 'ftp://127.0.0.1/x' : seen.path === '/bad' ? 'http://[' : '/again'
      response.writeHead(302, { location }).end()
    })
    const { client } = createClient(issuer, { origins: [service.url] })
    expect(String(await thrownBy(client.fetch(service.url)))).toContain('too many redirects')
    expect(service.seen).toHaveLength(21)
    expect((await client.fetch(service.url, { redirect: 'manual' })).status).toBe(302)
    expect(await thrownBy(client.fetch(service.url, { redirect: 'error' }))).toBeInstanceOf(TypeError)
    expect((await client.fetch(`${service.url}/ftp`)).status).toBe(302)
    expect((await client.fetch(`${service.url}/bad`)).status).toBe(302)
    expect(service.seen).toHaveLength(25)
  })
})

describe('a 401', () => {
  it('is answered by one more try with one renewed token, for 200 calls at once', async () => {
    const clock = createClock()
    const issuer = await startIssuer(3600, clock)
    const service = await startService(issuer, clock)
    const { client } = createClient(issuer, { clock, origins: [service.url] })
    const old = await client.token()
    // The key is changed at once, as after a leak: a service that starts now knows only the new one.
    await issuer.tokens.rotate('ES256', { overlap: false })
    const send = (): Promise<Response> => client.fetch(`${service.url}/api/echo`, { method: 'POST', body: 'again' })
    const answers = await Promise.all(Array.from({ length: 200 }, send))
    for (const answer of answers) expect([answer.status, await answer.text()]).toEqual([200, 'again'])
    expect(await client.token()).not.toBe(old)
    expect(service.refused).toBeGreaterThan(0)
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 1 })
  })

  it('after the second try is the answer; a service that refuses everything does not wear out the issuer', async () => {
    const clock = createClock()
    const issuer = await startIssuer(3600, clock)
    const service = await record(refuse)
    const { client } = createClient(issuer, { clock, origins: [service.url] })
    const answer = await client.fetch(service.url)
    expect([answer.status, await answer.text(), service.seen.length]).toEqual([401, 'no', 2])
    expect(service.seen[0]?.authorization).not.toBe(service.seen[1]?.authorization)
    for (let call = 0; call < 50; call += 1) expect((await client.fetch(service.url)).status).toBe(401)
    expect(issuer.requests.refresh).toBe(1)
    expect(service.seen).toHaveLength(52)
    clock.tick(10)
    await client.fetch(service.url)
    expect(issuer.requests.refresh).toBe(2)
  })

  it('is retried at once however often a token is revoked that has worked', async () => {
    const clock = createClock()
    const issuer = await startIssuer(3600, clock)
    const revoked = new Set<string | undefined>()
    const service = await record((seen, response) =>
      revoked.has(seen.authorization) ? refuse(seen, response) : ok(seen, response),
    )
    const { client } = createClient(issuer, { clock, origins: [service.url] })
    for (let times = 0; times < 5; times += 1) {
      expect((await client.fetch(service.url)).status).toBe(200)
      revoked.add(service.seen.at(-1)?.authorization)
    }
    expect((await client.fetch(service.url, { method: 'POST', body: stream('x') })).status).toBe(401)
    await until(() => issuer.requests.refresh === 5)
    expect((await client.fetch(service.url)).status).toBe(200)
    expect([issuer.requests.refresh, revoked.size]).toEqual([5, 5])
  })

  it('that always comes costs one renewal in ten seconds, though other calls succeed, and though none is repeated', async () => {
    const clock = createClock()
    const issuer = await startIssuer(3600, clock)
    const service = await record((seen, response) =>
      seen.path === '/good' ? ok(seen, response) : refuse(seen, response),
    )
    const { client } = createClient(issuer, { clock, origins: [service.url] })
    const streamed = (): RequestInit => ({ method: 'POST', body: stream('x') })
    const settled = (renewals: number): Promise<void> => until(() => issuer.requests.refresh === renewals)
    for (const [round, init] of [(): RequestInit => ({}), streamed].entries()) {
      for (let call = 0; call < 20; call += 1) {
        expect((await client.fetch(service.url, init())).status).toBe(401)
        await settled(round + 1)
        if (round === 0) expect((await client.fetch(`${service.url}/good`)).status).toBe(200)
      }
      clock.tick(10)
    }
    expect(issuer.requests).toMatchObject({ password: 1, refresh: 2 })
  })

  it('is handed on, body and all, where no other token is to be had', async () => {
    const issuer = await startIssuer(3600)
    const service = await record(refuse)
    const { client } = createClient(issuer, { origins: [service.url] })
    await client.token()
    await issuer.fault('status-503')
    const answer = await client.fetch(service.url)
    expect([answer.status, await answer.text(), service.seen.length]).toEqual([401, 'no', 1])
  })

  it('of a body that was streamed is the caller’s; the next call has another token', async () => {
    const issuer = await startIssuer(3600)
    let open = false
    const service = await record((seen, response) => (open ? ok(seen, response) : refuse(seen, response)))
    const { client, events } = createClient(issuer, { origins: [service.url] })
    const old = await client.token()
    expect((await client.fetch(service.url, { method: 'POST', body: stream('once') })).status).toBe(401)
    expect(service.seen).toMatchObject([{ body: 'once', authorization: `Bearer ${old}` }])
    await until(() => events.length === 2)
    open = true
    await client.fetch(new Request(service.url, { method: 'POST', body: 'twice' }))
    expect(service.seen[1]?.authorization).not.toBe(`Bearer ${old}`)
  })

  it.each([
    ['text', 'ab'],
    ['bytes', new TextEncoder().encode('ab')],
    ['a buffer', new TextEncoder().encode('ab').buffer],
    ['a blob', new Blob(['ab'])],
    ['parameters', new URLSearchParams('ab')],
  ])('sends %s twice, whole', async (_what, body) => {
    const issuer = await startIssuer(3600)
    const service = await record((seen, response) =>
      service.seen.length > 1 ? ok(seen, response) : refuse(seen, response),
    )
    const { client } = createClient(issuer, { origins: [service.url] })
    expect((await client.fetch(service.url, { method: 'POST', body })).status).toBe(200)
    expect(service.seen.map((each) => each.body.replace('=', ''))).toEqual(['ab', 'ab'])
  })
})

describe('deadlines and signals', () => {
  afterEach(() => void vi.useRealTimers())

  it('waits for the head of an answer as long as it was told, for the body without end', async () => {
    const issuer = await startIssuer(3600)
    let end = (): void => {}
    const service = await record((seen, response) => {
      if (seen.path === '/silent') return
      response.write('first ')
      end = () => void response.end('last')
    })
    const { client } = createClient(issuer, { origins: [service.url], responseTimeoutSeconds: 1.5 })
    const patient = createClient(issuer, { origins: [service.url], responseTimeoutSeconds: null }).client
    await Promise.all([client.token(), patient.token()])
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const silent = thrownBy(client.fetch(`${service.url}/silent`))
    await until(() => service.seen.length === 1)
    vi.advanceTimersByTime(1499)
    expect(await Promise.race([silent, Promise.resolve('still waiting')])).toBe('still waiting')
    vi.advanceTimersByTime(1)
    expect(await silent).toMatchObject({ name: 'TimeoutError' })
    for (const each of [client, patient]) {
      const answer = await each.fetch(service.url)
      vi.advanceTimersByTime(3_600_000)
      end()
      expect(await answer.text()).toBe('first last')
    }
  })

  it('lets go of one who gives up, before the token and after it, and renews for the others', async () => {
    const issuer = await startIssuer(3600)
    const service = await record(() => {})
    const { client } = createClient(issuer, { origins: [service.url] })
    await issuer.fault('slow')
    const controller = new AbortController()
    const impatient = thrownBy(client.fetch(service.url, { signal: controller.signal }))
    const patient = client.token()
    controller.abort(new Error('enough'))
    expect(await impatient).toMatchObject({ message: 'enough' })
    expect(await patient).toMatch(/^ey/)
    expect(await thrownBy(client.fetch(service.url, { signal: AbortSignal.abort(new Error('never')) }))).toMatchObject({
      message: 'never',
    })
    expect(service.seen).toEqual([])
    const later = new AbortController()
    const hanging = thrownBy(client.fetch(service.url, { signal: later.signal }))
    await until(() => service.seen.length === 1)
    later.abort(new Error('now'))
    expect(await hanging).toMatchObject({ message: 'now' })
  })
})

it('is a plain function: it can be handed to whatever wants a fetch', async () => {
  const issuer = await startIssuer(3600)
  const service = await record(ok)
  const { fetch: wrapped, token } = closing(
    createTokenClient({
      grant: {
        kind: 'supabase',
        url: issuer.url,
        apiKey: 'canary-api-key-77aa',
        email: 'bot@example.test',
        password: 'canary-password-5b1f',
      },
      origins: [service.url],
    }),
  )
  const standard: typeof fetch = wrapped
  expect((await standard(service.url)).status).toBe(200)
  expect(service.seen[0]?.authorization).toBe(`Bearer ${await token()}`)
})
