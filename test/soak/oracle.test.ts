import { describe, expect, it } from 'vitest'
import { bytesOf } from '../refusal-bytes.ts'
import { type Answer, type Ask, isRight, type Person, type Right, rightAnswers, type StorageState } from './oracle.ts'
import { everyOutcome, Timeline } from './timeline.ts'

const [FROM, UNTIL] = [1000, 1010]
let now = 0
const timeline = <T>(first: T): Timeline<T> => new Timeline(first, () => now)

describe('everyOutcome', () => {
  it('runs a decision once for each combination, also where a choice depends on another', () => {
    const outcomes = everyOutcome((choose) => {
      const letter = choose(['a', 'b'])
      return letter === 'a' ? `a${choose([1, 2, 3])}` : `b${choose([1])}${choose([1, 2])}`
    })
    expect(outcomes).toEqual(['a1', 'a2', 'a3', 'b11', 'b12'])
  })
})

describe('Timeline', () => {
  it('is both while a change runs, the new one after it, and the old one again where it never came', () => {
    const role = timeline('member')
    now = 10
    const change = role.begin('admin')
    expect(role.between(0, 9)).toEqual(['member'])
    expect(role.between(11, 12)).toEqual(['member', 'admin'])
    now = 20
    change.done()
    expect(role.between(15, 25)).toEqual(['member', 'admin'])
    expect(role.between(21, 25)).toEqual(['admin'])
    role.begin('owner').undone()
    expect(role.between(0, 25)).toEqual(['member', 'admin'])
    expect(() => [role.begin('a'), role.begin('b')]).toThrow('runs already')
  })
})

function ask(more: Partial<Ask> & { person?: Partial<Person>; kid?: string; endsAt?: number } = {}): Ask {
  now = 0
  const { person, kid = 'k1', endsAt = 9999, ...rest } = more
  const token = { issuer: 'issuer', kid, endsAt, flaw: null }
  const roles = new Map([['shared', timeline<'admin' | null>('admin')]])
  const ada = { subject: 'ada', userId: 'u1', ownOrg: 'own', disabled: timeline(false), roles, ...person }
  const keys = new Map([['issuer', { kids: timeline<ReadonlySet<string>>(new Set(['k1'])), failing: timeline(false) }]])
  return {
    kind: 'a token',
    server: { name: 'express', keys },
    storage: timeline<StorageState>('there'),
    route: { accept: 'user', needs: 'org', status: 200 },
    credential: { kind: 'token', token, person: ada },
    selector: { kind: 'unnamed' },
    body: { kind: 'none' },
    from: FROM,
    until: UNTIL,
    ...rest,
  }
}

/** An answer as a server writes it. */
function written(right: Right): Answer {
  if (right.kind === 'passed') {
    const org = right.org === null ? {} : { 'x-org-id': right.org }
    return { status: right.status, headers: org, body: JSON.stringify(right.body) }
  }
  const { status, headers, body } = bytesOf(
    right.code,
    right.challenge === undefined ? {} : { challenge: right.challenge },
  )
  return { status, headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])), body }
}

/** A fact that changes in the middle of the request. */
function changing<T>(first: T, next: T): Timeline<T> {
  const fact = timeline(first)
  now = FROM + 5
  const change = fact.begin(next)
  now = FROM + 7
  change.done()
  return fact
}

const codesOf = (given: Ask): readonly string[] =>
  rightAnswers(given).map((right) => (right.kind === 'refused' ? right.code : right.kind))

describe('rightAnswers', () => {
  const shared = { kind: 'named', org: 'shared' } as const

  it('knows one answer where nothing changes', () => {
    const body = { kind: 'user', user: 'u1', subject: 'ada', org: 'own', role: 'owner' }
    expect(rightAnswers(ask())).toEqual([{ kind: 'passed', status: 200, org: 'own', body }])
  })

  it.each<[string, Ask, readonly string[]]>([
    ['no credential', ask({ credential: { kind: 'none' } }), ['unauthorized']],
    ['an unknown key', ask({ kid: 'k2' }), ['unauthorized']],
    ['an ended token', ask({ endsAt: FROM }), ['token_expired']],
    ['a token that ends meanwhile', ask({ endsAt: FROM + 1 }), ['passed', 'token_expired']],
    ['a stranger to the organization', ask({ selector: { kind: 'named', org: 'other' } }), ['forbidden']],
    ['a user who is disabled meanwhile', ask({ person: { disabled: changing(false, true) } }), ['passed', 'forbidden']],
    [
      'a member who is removed meanwhile',
      ask({ selector: shared, person: { roles: new Map([['shared', changing<'admin' | null>('admin', null)]]) } }),
      ['passed', 'forbidden'],
    ],
    ['storage that is away', ask({ storage: timeline<StorageState>('away') }), ['temporarily_unavailable']],
    [
      'storage whose connections are cut',
      ask({ storage: timeline<StorageState>('cut') }),
      ['temporarily_unavailable', 'passed'],
    ],
    [
      'a bad token while storage is away',
      ask({ kid: 'k2', storage: timeline<StorageState>('away') }),
      ['unauthorized'],
    ],
    ['storage that stalls', ask({ storage: timeline<StorageState>('stalled') }), ['temporarily_unavailable', 'passed']],
    [
      'a role too low',
      ask({ selector: shared, route: { accept: 'user', needs: 'org', status: 200, role: 'owner' } }),
      ['forbidden'],
    ],
    ['a body that is no JSON', ask({ body: { kind: 'refused', code: 'validation_error' } }), ['validation_error']],
    ['a user on the route of keys', ask({ route: { accept: 'apiKey', needs: 'org', status: 200 } }), ['forbidden']],
  ])('%s', (_, given, codes) => {
    expect([...codesOf(given)].sort()).toEqual([...codes].sort())
  })

  it('tells a slow body by the role of its first look, and lets nobody pass who is none at its end', () => {
    const roleOf = (right: Right): unknown =>
      right.kind === 'passed' ? (right.body as { role: string }).role : right.kind
    const slow = (roles: Timeline<'admin' | null>, more: Partial<Person> = {}): readonly unknown[] => {
      const person = { roles: new Map([['shared', roles]]), ...more }
      const given = ask({ selector: shared, person, isSlow: true, holdsFrom: FROM + 8 })
      return [...new Set(rightAnswers(given).map(roleOf))]
    }
    expect(slow(changing<'admin' | null>(null, 'admin'))).toEqual(['refused', 'admin'])
    expect(slow(changing<'admin' | null>('admin', null))).toEqual(['refused'])
    expect(slow(timeline<'admin' | null>('admin'), { disabled: changing(false, true) })).toEqual(['refused'])
    expect(slow(timeline<'admin' | null>('admin'))).toEqual(['admin'])
  })

  it('tells where somebody acted who passed, and was refused when a body of more than a second was whole', () => {
    const keys = new Map([['issuer', { kids: changing(new Set(['k1']), new Set<string>()), failing: timeline(false) }]])
    const orgsOf = (more: Partial<Ask>): unknown[] =>
      rightAnswers(ask({ server: { name: 'koa', keys }, ...more })).flatMap((right) =>
        right.kind === 'refused' ? (right.org ?? null) : [],
      )
    const body = { kind: 'note', text: 'a' } as const
    expect(orgsOf({ body, until: FROM + 1001 })).toEqual([null, 'own'])
    expect(orgsOf({ body, isSlow: true })).toEqual([null, 'own'])
    expect(orgsOf({ body })).toEqual([null])
    expect(orgsOf({ until: FROM + 1001 })).toEqual([null])
  })

  it('knows a key as soon as it may have been learnt, and 503 while its server fails', () => {
    const kids = changing<ReadonlySet<string>>(new Set(['k1']), new Set(['k1', 'k2']))
    const keys = new Map([['issuer', { kids, failing: changing(false, true) }]])
    const given = ask({ kid: 'k2', server: { name: 'koa', keys } })
    expect([...codesOf(given)].sort()).toEqual(['keys_unavailable', 'passed', 'unauthorized'])
  })
})

describe('isRight', () => {
  const passed = rightAnswers(ask())[0] as Right
  const refused: Right = { kind: 'refused', code: 'unauthorized' }

  it('takes what a server writes', () => {
    for (const right of [passed, refused]) expect(isRight(written(right), right)).toBe(true)
  })

  it.each<[string, Right, (answer: Answer) => Answer]>([
    ['another status', passed, (answer) => ({ ...answer, status: 201 })],
    ['another organization in the header', passed, (answer) => ({ ...answer, headers: { 'x-org-id': 'other' } })],
    ['another user', passed, (answer) => ({ ...answer, body: answer.body.replace('u1', 'u2') })],
    ['another role', passed, (answer) => ({ ...answer, body: answer.body.replace('owner', 'admin') })],
    ['no JSON', passed, (answer) => ({ ...answer, body: '{' })],
    ['a refusal in its place', passed, () => written(refused)],
    ['another code', refused, () => written({ kind: 'refused', code: 'token_expired' })],
    [
      'no challenge',
      refused,
      (answer) => ({ ...answer, headers: { ...answer.headers, 'www-authenticate': undefined } }),
    ],
    [
      'a cache that may keep it',
      refused,
      (answer) => ({ ...answer, headers: { ...answer.headers, 'cache-control': undefined } }),
    ],
    ['a byte more', refused, (answer) => ({ ...answer, body: `${answer.body} ` })],
    ['an organization', refused, (answer) => ({ ...answer, headers: { ...answer.headers, 'x-org-id': 'own' } })],
    ['a fault', refused, () => ({ status: 500, headers: {}, body: 'a page of the framework' })],
  ])('finds %s', (_, right, plant) => {
    expect(isRight(plant(written(right)), right)).toBe(false)
  })
})
