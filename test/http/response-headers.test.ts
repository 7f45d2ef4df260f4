import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { keepHeaders, mergeHeader, whenHeadIsOut, withHeaders, writeHeaders } from '../../src/http/response-headers.ts'

describe('writeHeaders', () => {
  it('sets the first line of a name, adds the further ones; cookies and Vary are always added', () => {
    const calls: string[] = []
    const log =
      (how: string) =>
      (name: string, value: string): unknown =>
        calls.push(`${how} ${name}: ${value}`)
    const lines = [
      ['Cache-Control', 'no-store'],
      ['cache-control', 'private'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['Vary', 'Cookie'],
    ] as const
    writeHeaders(lines, log('set'), log('append'))
    expect(calls).toEqual([
      'set Cache-Control: no-store',
      'append cache-control: private',
      'append Set-Cookie: a=1',
      'append Set-Cookie: b=2',
      'append Vary: Cookie',
    ])
  })
})

describe('keepHeaders', () => {
  it('reads the headers when the head is written, and hands everything on', () => {
    const calls: unknown[] = []
    const response = {
      setHeader: (name: string, value: string) => calls.push([name, value]),
      writeHead(...head: unknown[]) {
        calls.push(['head', ...head])
        return this
      },
    }
    let org = 'early'
    keepHeaders(response, () => [['X-Org-Id', org]])
    expect(calls).toEqual([])
    org = 'late'
    expect(response.writeHead(200, 'Fine', { a: 'b' })).toBe(response)
    expect(calls).toEqual([
      ['a', 'b'],
      ['X-Org-Id', 'late'],
      ['head', 200, 'Fine'],
    ])
  })
})

it("keepHeaders goes on to a response's own writeHead as it was found, to an inherited one as it is then", () => {
  for (const [own, called] of [[{}, 'later'] as const, [{ writeHead: () => 'first' }, 'first'] as const]) {
    const inherited = { setHeader: () => undefined, writeHead: own.writeHead ?? ((): string => 'first') }
    const response = Object.assign(Object.create(inherited) as typeof inherited, own)
    keepHeaders(response, () => [])
    Object.setPrototypeOf(response, { ...inherited, writeHead: () => 'later' })
    expect(response.writeHead()).toBe(called)
  }
})

describe('keepHeaders, of a head that is written with an object', () => {
  const write = (set: readonly string[], theirs: object): unknown[] => {
    const calls: unknown[] = []
    const response = {
      getHeaderNames: () => set,
      setHeader: (name: string, value: unknown) => calls.push([name, value]),
      writeHead: (...head: unknown[]) => calls.push(head),
    }
    keepHeaders(response, () => [
      ['X-Org-Id', 'o'],
      ['Vary', 'Cookie'],
    ])
    ;(response.writeHead as (...head: unknown[]) => unknown)(200, theirs)
    return calls
  }

  it('hands it on with ours in it where nothing was set and no name is ours; the object stays as it was', () => {
    const theirs = Object.freeze({ 'Content-Type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'], vari: 'x' })
    expect(write([], theirs)).toEqual([[200, { ...theirs, 'X-Org-Id': 'o', Vary: 'Cookie' }]])
  })

  it.each([
    [['content-type'], { a: 'b' }],
    [[], { 'x-org-ID': 'theirs' }],
    [[], { VARY: 'Accept' }],
    [[], ['a', 'b']],
    [[], JSON.parse('{"__proto__":"p"}')],
  ])('sets one by one where %j was set before, or it is %j', (set, theirs) => {
    expect(write(set, theirs)).toContainEqual(['X-Org-Id', 'o'])
    expect(write(set, theirs).at(-1)).toEqual([200])
  })
})

describe('mergeHeader', () => {
  it.each([
    [null, 'Authorization, Cookie', 'Authorization, Cookie'],
    ['', 'Authorization', 'Authorization'],
    ['Origin', 'Authorization, Cookie', 'Origin, Authorization, Cookie'],
    ['cookie ,\tOrigin', 'Authorization, Cookie', 'cookie ,\tOrigin, Authorization'],
    ['Authorization, Cookie', 'Authorization, Cookie', 'Authorization, Cookie'],
    ['*', 'Authorization', '*'],
    ['Origin, *', 'Authorization', 'Origin, *'],
    ['Cookie\u00a0', 'Cookie', 'Cookie\u00a0, Cookie'],
  ])('joins Vary: %j with %j', (present, value, merged) => {
    expect(mergeHeader('vary', present, value)).toBe(merged)
  })

  it('takes ours for every other name', () => expect(mergeHeader('X-Org-Id', 'theirs', 'ours')).toBe('ours'))
})

describe('withHeaders', () => {
  it('keeps a response that has them', () => {
    const response = new Response('x', { headers: { 'X-Org-Id': 'a' } })
    expect(withHeaders(response, [['X-Org-Id', 'a']])).toBe(response)
    expect(withHeaders(response, [])).toBe(response)
  })

  it('copies one that has not, and leaves it alone', async () => {
    const response = new Response('x', { status: 201, headers: { 'X-Org-Id': 'other', 'X-Theirs': 'kept' } })
    const copy = withHeaders(response, [['X-Org-Id', 'a']])
    expect([copy.status, copy.headers.get('x-org-id'), copy.headers.get('x-theirs')]).toEqual([201, 'a', 'kept'])
    expect(await copy.text()).toBe('x')
    expect(response.headers.get('x-org-id')).toBe('other')
  })

  it('leaves a 101 alone', () => {
    const upgrade = { status: 101, headers: new Headers() } as Response
    expect(withHeaders(upgrade, [['X-Org-Id', 'a']])).toBe(upgrade)
  })
})

describe('whenHeadIsOut', () => {
  const responseOf = (more: object = {}) => {
    const closed: (() => void)[] = []
    const response = {
      setHeader: () => undefined,
      writeHead: () => response,
      once: (_event: 'close', listener: () => void) => closed.push(listener),
      ...more,
    }
    return { response, close: () => closed.forEach((listener) => void listener()) }
  }

  it('is heard when the head is written, and when the connection ends without one', () => {
    for (const how of ['written', 'closed'] as const) {
      let heard = 0
      const { response, close } = responseOf()
      whenHeadIsOut(response, () => heard++)
      expect(heard).toBe(0)
      if (how === 'written') response.writeHead()
      else close()
      expect(heard).toBe(1)
    }
  })

  it.each([{ headersSent: true }, { destroyed: true }, { writeHead: undefined }])(
    'is heard at once where it is over: %j',
    (more) => {
      let heard = 0
      whenHeadIsOut(responseOf(more).response, () => heard++)
      expect(heard).toBe(1)
    },
  )
})

it('a function of a request is not written down where it is assigned: V8 would keep it, and its request, too long', () => {
  const source = readFileSync(new URL('../../src/http/response-headers.ts', import.meta.url), 'utf8')
  const code = source.replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, '')
  expect(code.match(/\.\w+ = (?:async )?(?:function\b|\()/g)).toBeNull()
})
