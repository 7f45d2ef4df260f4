// Canaries: nothing that is thrown, told, shown or printed holds a password, a key or a token, whatever the issuer does.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isTokenClientError, TokenClientError } from 'sallyport/machine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import type { HttpFault } from '../support/http-faults.ts'
import { HTTP_FAULTS } from '../support/http-faults.ts'
import { createClient, createClock, EMAIL, SECRETS, serve, show, startIssuer, thrownBy } from './bench.ts'

const printed: string[] = []
const restore: (() => void)[] = []

// Vitest's own lines pass through here too; they hold no canary either.
beforeAll(() => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write
    stream.write = ((...args: Parameters<typeof write>) => {
      printed.push(String(args[0]))
      return write.apply(stream, args)
    }) as typeof write
    restore.push(() => {
      stream.write = write
    })
  }
})

afterAll(() => {
  for (const undo of restore) undo()
})

/** A fetch that keeps what must never be seen again: the tokens of every answer. */
function listeningFetch(heard: Set<string>): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const text = await response
      .clone()
      .text()
      .catch(() => '')
    for (const [, secret] of text.matchAll(/"(?:access_token|refresh_token)":"([^"]+)"/g)) heard.add(secret as string)
    return response
  }
}

function leaks(seen: string, heard: ReadonlySet<string>): string[] {
  const signatures = [...heard].flatMap((token) => [token, token.split('.').at(-1) as string])
  return [...Object.values(SECRETS), ...signatures].filter((secret) => seen.includes(secret))
}

const SLOW: readonly string[] = ['gzip-bomb']
/** Answers that only a time-out ends. */
const ENDLESS: readonly string[] = ['hang', 'hang-in-body', 'drip']

describe('no secret is seen', () => {
  it.each(Object.keys(HTTP_FAULTS).filter((fault) => !SLOW.includes(fault)) as HttpFault[])(
    'when the issuer answers by %s, at the first sign-in and at a refresh',
    async (fault) => {
      const heard = new Set<string>()
      const clock = createClock()
      const issuer = await startIssuer(3600, clock)
      const good: readonly string[] = ['slow', 'wrong-type']
      const timeoutSeconds = ENDLESS.includes(fault) ? 1 : PATIENCE_MS / 1000
      const { client, events } = createClient(issuer, { clock, timeoutSeconds, fetch: listeningFetch(heard) })
      await issuer.fault(fault)
      const first = await thrownBy(client.token())
      await issuer.fault('ok')
      let token: string | null = null
      for (let tries = 0; token === null && tries < 10; tries += 1) {
        // Where the time-out is short, a machine that is busy may miss it.
        clock.tick(300)
        token = await client.token().catch(() => null)
      }
      await issuer.fault(fault)
      clock.tick(3600)
      const second = await thrownBy(client.token())
      expect(heard.size).toBeGreaterThan(1)
      for (const error of [first, second]) expect(isTokenClientError(error)).toBe(!good.includes(fault))
      const shown = good.includes(fault) ? [] : [first, second]
      expect(leaks(show([...shown, events, client]) + shown.map(show).join(), heard)).toEqual([])
    },
  )

  it('when the issuer echoes what it was sent, in its status line, headers and body', async () => {
    for (const status of [400, 401, 500, 200]) {
      const { url } = await serve(async (request, response) => {
        let body = ''
        for await (const part of request) body += String(part)
        const { password } = JSON.parse(body) as { password: string }
        const members = { error: password, error_code: password, code: password, msg: body, token_type: password }
        const headers = { 'retry-after': password, location: `/${password}`, apikey: String(request.headers['apikey']) }
        response.writeHead(status, password, headers).end(JSON.stringify({ ...members, access_token: 'abc' }))
      })
      const { client, events } = createClient({ url })
      const error = await thrownBy(client.token())
      expect(isTokenClientError(error)).toBe(true)
      expect(leaks(show(error) + show(events) + show(client), new Set())).toEqual([])
    }
  })

  it('when fetch throws the whole request, in a message, a code, a cause', async () => {
    const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      const { password } = SECRETS
      const cause = Object.assign(new Error(String(init?.body)), { code: `E${password}`, request: init })
      throw Object.assign(new TypeError(`${String(input)} ${JSON.stringify(init)}`, { cause }), { code: password })
    }
    const { client, events } = createClient({ url: 'http://127.0.0.1:1' }, { fetch })
    const error = await thrownBy(client.token())
    expect(error).toMatchObject({ reason: 'network', systemCode: null })
    expect(leaks(show(error) + show(events), new Set())).toEqual([])
  })

  it('in a client that is shown, or in anything that was printed', async () => {
    const heard = new Set<string>()
    const issuer = await startIssuer(3600)
    const { client, events } = createClient(issuer, { fetch: listeningFetch(heard) })
    await client.token()
    expect(heard.size).toBe(2)
    expect(leaks(show(client) + show(events), heard)).toEqual([])
    expect(JSON.stringify(client)).toBe('{}')
    expect(leaks(printed.join(''), heard)).toEqual([])
    // The search itself finds what is there.
    expect(leaks(show({ deep: { token: await client.token() } }), heard)).toHaveLength(2)
  })
})

describe('TokenClientError', () => {
  it('is known by its brand, across copies of the package', () => {
    const failure = {
      code: 'token_refused',
      reason: 'invalid_grant',
      status: 400,
      systemCode: null,
      retryAfterSeconds: 30,
    } as const
    const error = new TokenClientError(failure)
    expect(error).toMatchObject({ ...failure, name: 'TokenClientError' })
    expect(isTokenClientError(error)).toBe(true)
    expect(isTokenClientError({ [Symbol.for('sallyport.TokenClientError')]: true })).toBe(true)
    for (const other of [new Error('token_refused'), failure, null, undefined, 'x']) {
      expect(isTokenClientError(other)).toBe(false)
    }
  })
})

describe('a process with an open client', () => {
  const door = fileURLToPath(new URL('../../src/machine/index.ts', import.meta.url))

  /** Run a script with a client in a process of its own: what it printed; the code is null where it did not end. */
  async function run(url: string, script: string): Promise<{ code: number | null; out: string }> {
    const grant = { kind: 'supabase', url, apiKey: SECRETS.apiKey, email: EMAIL, password: SECRETS.password }
    const text = `
      const { createTokenClient } = await import(${JSON.stringify(door)})
      const client = createTokenClient({ grant: ${JSON.stringify(grant)}, origins: [] })
      ${script}`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], {
      timeout: PATIENCE_MS,
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        out += String(chunk)
      })
    }
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, out: out.trim() }
  }

  it('ends by itself, while a renewal is due and while the issuer rests', async () => {
    // Its timer is set to 42 minutes.
    const issuer = await startIssuer(3600)
    const done = await run(issuer.url, `await client.token(); await client.token(); console.log('done')`)
    expect(done).toMatchObject({ code: 0, out: 'done' })
    await issuer.fault('status-500')
    const failed = await run(issuer.url, `await client.token().catch((error) => console.log(error.code))`)
    expect(failed).toMatchObject({ code: 0, out: 'token_unavailable' })
  })

  it('says nothing secret where nobody catches the error', async () => {
    const issuer = await startIssuer(60)
    await issuer.fault('status-401')
    const { code, out } = await run(issuer.url, 'await client.token()')
    expect(code).toBe(1)
    expect(out).toContain('token_unavailable')
    expect(leaks(out, new Set())).toEqual([])
  })
})
