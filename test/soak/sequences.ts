/** Several requests that belong together: first logins at once, password logins at once, sessions that end. */
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { bytesOf } from '../refusal-bytes.ts'
import { changeDisabled } from './changes.ts'
import { type Exchange, exchange, jsonRequest } from './exchange.ts'
import type { Answer, Person } from './oracle.ts'
import { planGoodNote, planMe } from './traffic.ts'
import { note, oneOf, pause, signToken, somebody, type Token, tokensOf, type World } from './world.ts'

/** More would seldom be met by a change. */
const MOST_PEOPLE = 150
/** Three for each server: they meet in the storage, and within a process. */
const AT_ONCE = 12

/** Have new people come, each by many requests at once to all servers, until all ends: everybody is made once. */
export async function firstLogins(world: World): Promise<void> {
  const { random, people, orgs, moving, steady, signal } = world
  for (let number = 0; !signal.aborted; number++) {
    const { issuer } = oneOf(random, [moving, steady])
    const subject = `new-${number}`
    const token = await signToken(random, issuer, subject, { algorithm: 'HS256' })
    const found = await comeAtOnce(world, subject, token)
    if (found === null) return
    note(world, 'first logins')
    people.push({ ...found, issuer, tokens: await tokensOf(random, issuer, subject) })
    if (people.length > MOST_PEOPLE) people.splice(Math.floor(random() * people.length), 1)
    await pause(world, random() * 600)
  }

  /** Send all at once, again and again until somebody was made; then compare every answer with whom it was. */
  async function comeAtOnce(given: World, subject: string, token: Token): Promise<Person | null> {
    const come = []
    let found: Person | null = null
    while (found === null && !signal.aborted) {
      const some = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => sendOne(given, index, token)))
      come.push(...some)
      const passed = some.find(({ answer }) => answer?.status === 200)?.answer
      if (passed == null) await pause(given, 200)
      else {
        const { user: userId, org: ownOrg } = JSON.parse(passed.body) as { user: string; org: string }
        found = somebody({ subject, userId, ownOrg }, orgs)
      }
    }
    for (const { answer, ask, requestId } of come) {
      const { sent: _, ...facts } = planMe(found, token)
      // Whom nobody has seen, because the storage was away until the end, is not compared.
      if (found !== null) given.judge.take({ ...ask, ...facts }, answer, requestId)
    }
    return found
  }
}

async function sendOne({ client, servers, storage }: World, index: number, token: Token) {
  const server = servers[index % servers.length] as World['servers'][number]
  const requestId = `first-${Math.random()}`
  const { sent } = planMe(null, token)
  const headers = [...sent.headers, ['x-request-id', requestId] as const]
  const from = Date.now()
  const answer = await client.send(server.url, { ...sent, headers })
  const ask = { kind: 'first logins at once', server: server.facts, storage, from, until: Date.now() }
  return { answer, requestId, ask }
}

// Whoever sends a body for more than a second is looked at once more when it is whole; the first look may come late.
const [BEFORE_MS, AFTER_MS, SEEN_MS] = [600, 2000, 1700]

/** Disable people while their bodies are on their way, until all ends: authority is what it is when the body is whole. */
export async function slowBodies(world: World): Promise<void> {
  const { random, people, servers, client, judge, storage, signal } = world
  for (let number = 0; !signal.aborted; number++) {
    const person = oneOf(random, people)
    const server = oneOf(random, servers)
    const token = await signToken(random, person.issuer, person.subject, { algorithm: 'HS256' })
    const { sent, ...facts } = planGoodNote(world, person, token, `slow ${number}`)
    const begun = Date.now()
    let sentAt = begun
    const change = async (): Promise<void> => {
      await pause(world, BEFORE_MS)
      if (!person.disabled.last && random() < 0.7) await changeDisabled(world, person)
      await pause(world, AFTER_MS)
      sentAt = Date.now()
    }
    const answer = await client.sendInHalves(server.url, sent, change)
    const ask = {
      kind: 'a slow body',
      isSlow: true,
      server: server.facts,
      storage,
      ...facts,
      from: begun,
      until: Date.now(),
    }
    // What was refused before its body was whole was by what was so then. What passed has to be right at the end.
    const isWhole = answer?.status === 201
    judge.take(isWhole ? { ...ask, holdsFrom: Math.max(begun, sentAt - SEEN_MS) } : ask, answer, '')
    await pause(world, random() * 300)
  }
}

const PASSWORD = 'tulip-cavern-91-osprey'
const LOGIN = 'POST /api/v1/auth/login'
const VALIDATE = 'GET /api/v1/auth/validate'
const ACCOUNTS = 6
/** Four times as many as may be looked at, five for each server. */
const TRIES = 20
/** Failures of an account that are told before it is closed, for a second at first. */
const FREE_FAILURES = 5

/** Make the accounts of local login; the first is an admin's. */
export async function addAccounts({ store }: Pick<World, 'store'>): Promise<void> {
  const passwords = createPasswordHasher({ cost: { kind: 'scrypt', ln: 10, r: 8, p: 1 } })
  for (let index = 0; index < ACCOUNTS; index++) {
    const role = index === 0 ? 'owner' : 'member'
    const passwordHash = await passwords.hash(PASSWORD)
    await store.accounts.accounts.insert({ email: emailOf(index), passwordHash, role, createdAt: new Date() })
  }
}

const emailOf = (index: number): string => `account-${index}@example.test`

/** Log in, right and wrong, many at once, and end sessions, until all ends. */
export async function passwordLogins(world: World): Promise<void> {
  const { random, signal } = world
  for (let round = 0; !signal.aborted; round++) {
    const index = 1 + Math.floor(random() * (ACCOUNTS - 1))
    const session = await logInAtOnce(world, emailOf(index))
    if (session !== null) await useSession(world, session)
    if (round % 4 === 0) await tryWrong(world, `stranger-${round}@example.test`)
    if (round % 4 === 2) await disableAccount(world, index)
    await pause(world, random() * 500)
  }
}

const isRefusal = (answer: Answer, ...of: Parameters<typeof bytesOf>): boolean => {
  const { status, body } = bytesOf(...of)
  return answer.status === status && answer.body === body
}

const isThrottled = (answer: Answer): boolean =>
  isRefusal(answer, 'rate_limit_exceeded') && /^[1-9]\d*$/.test(String(answer.headers['retry-after']))

function tokenOf({ answer }: Exchange): string | null {
  if (answer?.status !== 200) return null
  const { token } = JSON.parse(answer.body) as { token?: unknown }
  return typeof token === 'string' ? token : null
}

/** More at once than may be in flight: some are let in, the others told to wait. */
async function logInAtOnce(world: World, email: string): Promise<string | null> {
  const { servers, judge } = world
  const what = {
    kind: 'log in, at once',
    sent: jsonRequest(LOGIN, null, { email, password: PASSWORD }),
    right: '200 or 429',
  }
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      exchange(world, servers[index % servers.length] as World['servers'][number], what, (answer) => {
        return isThrottled(answer) || (answer.status === 200 && answer.headers['set-cookie']?.length === 1)
      }),
    ),
  )
  const tokens = all.map(tokenOf).filter((token) => token !== null)
  if (tokens.length === 0 && !all.some(({ isFailure }) => isFailure)) {
    judge.fault(what.kind, 'all', 'nobody was let in', 'some of eight are')
  }
  if (new Set(tokens).size !== tokens.length) judge.fault(what.kind, 'all', 'one session twice', 'each its own')
  return tokens[0] ?? null
}

/** A session is good until it is ended, on every server. */
async function useSession(world: World, session: string): Promise<void> {
  const { random, servers } = world
  const validate = (kind: string, status: number): Promise<Exchange> => {
    const what = { kind, sent: jsonRequest(VALIDATE, session), right: String(status) }
    return exchange(world, oneOf(random, servers), what, (answer) => answer.status === status)
  }
  await validate('a session', 200)
  const what = { kind: 'log out', sent: jsonRequest('POST /api/v1/auth/logout', session), right: '204' }
  const { answer } = await exchange(world, oneOf(random, servers), what, ({ status }) => status === 204)
  if (answer?.status !== 204) return
  note(world, 'sessions ended')
  await validate('an ended session', 401)
}

/** Wrong passwords at once: as many are looked at as may be, however many servers there are. */
async function tryWrong(world: World, email: string): Promise<void> {
  const { servers, judge } = world
  const what = {
    kind: 'wrong passwords, at once',
    sent: jsonRequest(LOGIN, null, { email, password: 'x'.repeat(20) }),
    right: '401 or 429',
  }
  const begun = Date.now()
  const all = await Promise.all(
    Array.from({ length: TRIES }, (_, index) =>
      exchange(world, servers[index % servers.length] as World['servers'][number], what, (answer) => {
        return isThrottled(answer) || isRefusal(answer, 'unauthorized', { challenge: 'Bearer' })
      }),
    ),
  )
  const looked = all.filter(({ answer }) => answer?.status === 401).length
  // It is open again after a second, for one try.
  const most = FREE_FAILURES + Math.floor((Date.now() - begun) / 1000)
  const hasFailed = all.some(({ isFailure }) => isFailure)
  if (looked > most || (looked < FREE_FAILURES && !hasFailed)) {
    judge.fault(what.kind, 'all', `${looked} of ${TRIES} were looked at`, `${FREE_FAILURES} to ${most}`)
  }
  note(world, 'guesses at passwords')
}

/** A disabled account's sessions end at once; it can't log in until it is enabled. */
async function disableAccount(world: World, index: number): Promise<void> {
  const { random, servers, store, signal } = world
  const email = emailOf(index)
  const session = await logInAtOnce(world, email)
  const set = async (disabled: boolean): Promise<void> => {
    for (let isDone = false; !isDone && !signal.aborted; ) {
      try {
        const account = await store.accounts.accounts.findByEmail(email)
        if (account !== null) await store.accounts.accounts.update(account.id, { disabled })
        isDone = true
      } catch {
        await pause(world, 50)
      }
    }
  }
  await set(true)
  if (session !== null && !signal.aborted) {
    const what = { kind: 'a session of a disabled account', sent: jsonRequest(VALIDATE, session), right: '401' }
    await exchange(world, oneOf(random, servers), what, ({ status }) => status === 401)
  }
  await set(false)
  note(world, 'accounts disabled')
}
