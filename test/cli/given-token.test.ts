/** A token with a blank, quotes or a line break passed `inspect`, which had trimmed it, and was refused by the route. */
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromNodeRequest } from '../../src/http/index.ts'
import { createAuth, createJwtVerifier, isAuthError } from '../../src/index.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { sallyport } from './fake-terminal.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const issuer = await createTokenIssuer({ algorithms: ['HS256'], clock: () => NOW })
const token = await issuer.sign()
const TRUST = ['--issuer', issuer.issuer, '--audience', issuer.audience, '--secret-env', 'SECRET', '--json']
const setting = { env: { SECRET: issuer.secret }, now: NOW }

const keys = [{ kind: 'secret', secret: issuer.secret }] as const
const issuers = [{ issuer: issuer.issuer, keys, audience: issuer.audience }]
const auth = createAuth({
  verifier: createJwtVerifier({ issuers, clock: () => NOW }),
  onDecision: () => undefined,
})
const server = createServer((req, res) => {
  auth.authenticate(fromNodeRequest(req), { needs: 'identity' }).then(
    () => res.end('passes'),
    (error: unknown) => res.end(isAuthError(error) ? error.reason : 'fault'),
  )
})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => void server.close())

// What a route says of the header, as its bytes come over the wire; Node's own 400 has no body.
function routeOf(header: string): Promise<string> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${header}\r\n\r\n`)
    })
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.once('error', reject).once('close', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      resolve(/ 400 /.test(head) ? '400' : body.replace(/^[\da-f]+\r\n|\r\n[\s\S]*$/gi, ''))
    })
  })
}

interface Answer {
  readonly reason: string
  readonly notes: readonly string[]
}

async function inspectOf(words: readonly string[], input = ''): Promise<Answer> {
  const { out } = await sallyport(['inspect', ...words, ...TRUST], { ...setting, input })
  const { verdict, answer, checks } = JSON.parse(out) as {
    readonly verdict: string
    readonly answer: { readonly reason: string } | null
    readonly checks: readonly { readonly state: string; readonly says: string }[]
  }
  const notes = checks.filter(({ says }) => / left out| taken for /.test(says)).map(({ says }) => says)
  return { reason: verdict === 'passes' ? 'passes' : (answer?.reason ?? '400'), notes }
}

const half = (by: string): string => `${token.slice(0, 60)}${by}${token.slice(60)}`

describe('a token is read as a route reads it', () => {
  it.each<[what: string, sent: string, reason: string]>([
    ['as it is', token, 'passes'],
    ['white space before it', `  ${token}`, 'passes'],
    ['white space behind it', `${token} \t`, 'passes'],
    ['quotes round it', `"${token}"`, 'token_part_encoding'],
    ['single quotes round it', `'${token}'`, 'token_part_encoding'],
    ['a blank in it', half(' '), 'bearer_token_malformed'],
    ['a tab in it', half('\t'), 'bearer_token_malformed'],
    ['a line break in it', half('\n'), '400'],
    ['another one', half('\r\n'), '400'],
    ['a NUL in it, as in UTF-16', half('\0'), '400'],
    ['an escape in it', half('\u001b[2J'), '400'],
    ['a DEL behind it', `${token}\u007f`, '400'],
    ['what is no ASCII in it', half('é'), 'token_part_encoding'],
    ['a comma behind it', `${token},`, 'bearer_token_malformed'],
    ['two of them', `${token}, ${token}`, 'bearer_token_malformed'],
    ['padding behind it', `${token}=`, 'token_part_encoding'],
    ['nothing at all', '', 'bearer_token_missing'],
    ['a variable without a value', 'undefined', 'token_not_a_jwt'],
    ['a very long one', `${token}${'A'.repeat(9000)}`, 'bearer_token_too_long'],
  ])('%s', async (_, sent, reason) => {
    expect(await routeOf(`Bearer ${sent}`)).toBe(reason)
    expect((await inspectOf(['--header', `Bearer ${sent}`])).reason).toBe(reason)
    expect((await inspectOf(['--header', `Authorization: Bearer ${sent}`])).reason).toBe(reason)
    expect((await inspectOf([sent])).reason).toBe(reason)
    expect((await inspectOf(['-'], sent)).reason).toBe(reason)
    expect((await inspectOf(['-'], `${sent}\n`)).reason).toBe(reason)
  })

  it('its scheme, too', async () => {
    for (const header of [token, `Basic ${token}`]) {
      expect(await routeOf(header)).toBe('credential_missing')
      expect((await inspectOf(['--header', header])).reason).toBe('credential_missing')
    }
    expect(await routeOf(`Bearer Bearer ${token}`)).toBe('bearer_token_malformed')
    expect((await inspectOf([`Bearer Bearer ${token}`])).reason).toBe('bearer_token_malformed')
  })

  it('a line break behind it is what Node refuses, but at the end of a file', async () => {
    expect(await routeOf(`Bearer ${token}\r`)).toBe('400')
    expect((await inspectOf([`${token}\n`])).reason).toBe('400')
    expect((await inspectOf(['--header', `Bearer ${token}\n`])).reason).toBe('400')
    expect((await inspectOf(['-'], `${token}\r\n`)).reason).toBe('passes')
  })
})

describe('what was left out is said', () => {
  it.each([
    ['nothing', [token], '', []],
    ['the one line break of a file', ['-'], `${token}\n`, []],
    ['that of another system', ['-'], `${token}\r\n`, []],
    ['another line break', ['-'], `${token}\n\n`, [/^line breaks around it were left out/]],
    ['one before it', ['-'], `\n${token}\n`, [/^line breaks around it were left out/]],
    ['white space', [` ${token}`], '', [/^white space around it was left out/]],
    ['both', ['-'], `\n${token} \n`, [/^line breaks/, /^white space/]],
    ['the scheme', [`Bearer ${token}`], '', [/^the word "Bearer" before it was taken for the scheme/]],
  ])('%s', async (_, words, input, said) => {
    const { reason, notes } = await inspectOf(words, input)
    expect(reason).toBe('passes')
    expect(notes).toEqual(said.map((each) => expect.stringMatching(each)))
  })
})
