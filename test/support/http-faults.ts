/**
 * What can go wrong with any HTTP answer, as data: each fault takes the response that is due and writes something else.
 * Hands on functions by name; servers switch between them.
 */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** The answer that is due. */
export interface Due {
  readonly status: number
  readonly body: string
}

/**
 * Writes a faulty answer. Asking for what is due makes the endpoint act (a refresh token is spent); a fault that never
 * asks fails in front of the endpoint.
 */
export type WriteFault = (response: ServerResponse, due: () => Promise<Due>) => void | Promise<void>

/** A fault of an answer, whatever it was to say. */
export type HttpFault =
  | 'status-401'
  | 'status-404'
  | 'status-429'
  | 'status-500'
  | 'status-503'
  | 'no-content'
  | 'empty'
  | 'hang'
  | 'hang-in-body'
  | 'reset'
  | 'reset-in-body'
  | 'drip'
  | 'html'
  | 'invalid-json'
  | 'null'
  | 'array'
  | 'oversize'
  | 'gzip-bomb'
  | 'redirect'
  | 'redirect-loop'
  | 'bad-utf8'
  | 'wrong-type'
  | 'slow'

/** How far `oversize` goes: over the 256 KB a client should read. */
const OVERSIZE_BYTES = 1024 * 1024
const BOMB_BYTES = 64 * 1024 * 1024
const DRIP_MILLISECONDS = 100
const SLOW_MILLISECONDS = 250

/** Answer JSON. */
export function writeJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body)
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): WriteFault {
  return (response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    writeJson(response, code, JSON.stringify({ code, msg: `injected status ${code}` }))
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** A fault of an answer that the endpoint has made. */
function afterwards(write: (response: ServerResponse, due: Due) => void): WriteFault {
  return async (response, due) => write(response, await due())
}

function json(to: (body: string) => string): WriteFault {
  return afterwards((response, { status: code, body }) => writeJson(response, code, to(body)))
}

function drip(response: ServerResponse, { status: code, body }: Due): void {
  response.writeHead(code, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) })
  let sent = 0
  const timer = setInterval(() => {
    response.write(body.slice(sent, sent + 1))
    sent += 1
    if (sent >= body.length) response.end()
  }, DRIP_MILLISECONDS).unref()
  response.once('close', () => clearInterval(timer))
}

function slow(response: ServerResponse, { status: code, body }: Due): void {
  const timer = setTimeout(() => writeJson(response, code, body), SLOW_MILLISECONDS).unref()
  response.once('close', () => clearTimeout(timer))
}

let bomb: { readonly body: string; readonly bytes: Buffer } | undefined

// White space in front of good JSON: a client without a limit takes it. One gzip member: not every client reads two.
function gzipBomb(response: ServerResponse, { status: code, body }: Due): void {
  if (bomb?.body !== body)
    bomb = { body, bytes: gzipSync(Buffer.concat([Buffer.alloc(BOMB_BYTES, ' '), Buffer.from(body)])) }
  response.writeHead(code, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(bomb.bytes)
}

function badUtf8(response: ServerResponse, { status: code, body }: Due): void {
  response.writeHead(code, JSON_TYPE).end(Buffer.from(body.replaceAll('":"', '":"\u00ff'), 'latin1'))
}

function halfThen(act: (response: ServerResponse) => void): WriteFault {
  return afterwards((response, { status: code, body }) => {
    response.writeHead(code, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) })
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => act(response))
  })
}

/** Where `redirect` leads: this before the path. */
export const MOVED_PATH = '/moved'

/** The faults by name. */
export const HTTP_FAULTS: Readonly<Record<HttpFault, { readonly sentence: string; readonly write: WriteFault }>> = {
  'status-401': { sentence: 'The answer is 401.', write: status(401) },
  'status-404': { sentence: 'The answer is 404.', write: status(404) },
  'status-429': { sentence: 'The answer is 429 with Retry-After: 1.', write: status(429, { 'retry-after': '1' }) },
  'status-500': { sentence: 'The answer is 500.', write: status(500) },
  'status-503': { sentence: 'The answer is 503 with Retry-After: 1.', write: status(503, { 'retry-after': '1' }) },
  'no-content': {
    sentence: 'The answer is 204, without a body.',
    write: (response) => void response.writeHead(204).end(),
  },
  empty: { sentence: 'The answer is 200 with an empty body.', write: (response) => writeJson(response, 200, '') },
  hang: { sentence: 'The connection is accepted and nothing ever comes.', write: () => {} },
  'hang-in-body': {
    sentence: 'Half of the body comes, then nothing more.',
    write: halfThen(() => {}),
  },
  reset: {
    sentence: 'The connection is reset before an answer.',
    write: ({ socket }) => void socket?.resetAndDestroy(),
  },
  'reset-in-body': {
    sentence: 'The connection is reset in the middle of the body.',
    write: halfThen(({ socket }) => socket?.resetAndDestroy()),
  },
  drip: { sentence: 'The good body comes at ten bytes a second.', write: afterwards(drip) },
  html: {
    sentence: 'The answer is a web page, status 200.',
    write: (response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>'),
  },
  'invalid-json': {
    sentence: 'The body is cut short, with a length that fits.',
    write: json((body) => body.slice(0, -2)),
  },
  null: { sentence: 'The body is the JSON null.', write: (response) => writeJson(response, 200, 'null') },
  array: { sentence: 'The body is the good object inside an array.', write: json((body) => `[${body}]`) },
  oversize: {
    sentence: 'The body is good JSON behind 1 MB of white space.',
    write: json((body) => ' '.repeat(OVERSIZE_BYTES) + body),
  },
  'gzip-bomb': {
    sentence: 'The body is good JSON behind 64 MB of white space, in 64 KB of gzip.',
    write: afterwards(gzipBomb),
  },
  redirect: {
    sentence: 'The answer is 307 to a place that has the good body.',
    write: (response) => void response.writeHead(307, { location: `${MOVED_PATH}${response.req.url ?? '/'}` }).end(),
  },
  'redirect-loop': {
    sentence: 'The answer is 307 to itself.',
    write: (response) => void response.writeHead(307, { location: response.req.url ?? '/' }).end(),
  },
  'bad-utf8': {
    sentence: 'Every string value in the body has a byte that is no UTF-8.',
    write: afterwards(badUtf8),
  },
  'wrong-type': {
    sentence: 'The good body comes as text/plain.',
    write: afterwards((response, { status: code, body }) =>
      response.writeHead(code, { 'content-type': 'text/plain' }).end(body),
    ),
  },
  slow: {
    sentence: 'The good body comes after a quarter of a second.',
    write: afterwards(slow),
  },
}
