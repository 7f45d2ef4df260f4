/** What a request and its answer can't show: a deadline to the millisecond, a machine account over renewals, keys switched off. */
import { createTokenClient, isTokenClientError } from 'sallyport/machine'
import { startSupabaseIssuer } from 'sallyport/testing'
import { parse } from './expected-answer.ts'
import { send } from './send.ts'
import type { DeedStep } from './step.ts'
import type { World } from './world.ts'

const at = 'intello'
const USED = '/api/dependencies'
const SERVED = 'served to that very instant, refused from then on'

interface Answered {
  readonly status: number
  readonly data: { readonly id: string; readonly key: string }
}

async function ask(url: string, bearer: string, line: string, json?: unknown): Promise<Answered> {
  const [method = '', path = ''] = line.split(' ')
  const authorization = ['Authorization', `Bearer ${bearer}`] as const
  const lines = json === undefined ? [authorization] : [authorization, ['Content-Type', 'application/json'] as const]
  const body = json === undefined ? undefined : JSON.stringify(json)
  const { status, text } = await send({ method, url: url + path, lines, body })
  return { status, data: (parse(text) as { data: Answered['data'] } | undefined)?.data ?? { id: '', key: '' } }
}

/** A key whose text ends: before `first` it has to be good, from `last` on it must not be, in between nothing is promised. */
interface Ending {
  readonly key: string
  readonly first: number
  readonly last: number
}

// A machine that stands still for a whole life of a key has seen nothing: then another one lives for twice as long.
async function judgeEnd(url: string, begin: (seconds: number) => Promise<Ending>): Promise<string> {
  for (let seconds = 1; ; seconds *= 2) {
    const counts = await countUses(url, await begin(seconds))
    if (counts.wrong > 0) return JSON.stringify(counts)
    if (counts.good > 0 && counts.bad > 0) return SERVED
    if (seconds > 30) return `nothing seen: ${JSON.stringify(counts)}`
  }
}

async function countUses(url: string, { key, first, last }: Ending) {
  const counts = { good: 0, bad: 0, wrong: 0 }
  while (Date.now() < last + 300) {
    const from = Date.now()
    const { status } = await ask(url, key, `GET ${USED}`)
    const isGood = status === 200
    if ((Date.now() < first && !isGood) || (from >= last && status !== 401)) counts.wrong += 1
    counts[isGood ? 'good' : 'bad'] += 1
    await wait(20)
  }
  return counts
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function issue(world: World, who: string, wish: object): Promise<Answered['data'] & { readonly token: string }> {
  const token = await world.token(at, who)
  const { data } = await ask(world.urlOf(at), token, 'POST /api/keys', { name: 'a deed', ...wish })
  return { ...data, token }
}

/** A key is rotated with an overlap of a second: what its old text is good for. */
export const rotationEnds = (who: string): DeedStep => ({
  at,
  does: 'the old text of a key rotated with {"overlap_seconds":1}',
  shows: SERVED,
  async act(world) {
    const url = world.urlOf(at)
    let next = ''
    const shown = await judgeEnd(url, async (seconds) => {
      const { id, key, token } = await issue(world, who, {})
      const began = Date.now()
      const { data } = await ask(url, token, `POST /api/keys/${id}/rotate`, { overlap_seconds: seconds })
      next = data.key
      return { key, first: began + seconds * 1000, last: Date.now() + seconds * 1000 }
    })
    const { status } = await ask(url, next, `GET ${USED}`)
    return status === 200 ? shown : `${shown}; the new one: ${status}`
  },
})

/** A key is made for a second: what it is good for. */
export const expiryEnds = (who: string): DeedStep => ({
  at,
  does: 'a key with an "expires_at" in a second',
  shows: SERVED,
  act: (world) =>
    judgeEnd(world.urlOf(at), async (seconds) => {
      const end = Date.now() + seconds * 1000
      const { key } = await issue(world, who, { expires_at: new Date(end).toISOString() })
      return { key, first: end, last: end }
    }),
})

/** A key with one letter changed, each letter in turn. */
export const mistyped = (who: string): DeedStep => ({
  at,
  does: 'a key with one letter mistyped, each letter in turn',
  shows: '401',
  async act(world) {
    const { key } = await issue(world, who, {})
    const typed = [...key].map((letter, index) => key.slice(0, index) + other(letter) + key.slice(index + 1))
    const answers = await Promise.all(typed.map((text) => ask(world.urlOf(at), text, `GET ${USED}`)))
    return [...new Set(answers.map(({ status }) => status))].join(', ')
  },
})

const other = (letter: string): string => (letter === 'a' ? 'b' : 'a')

/** Intello is started once more, over the same store, with its keys switched off. */
export const keysOff = (who: string, key: string): DeedStep => ({
  at,
  does: 'API_KEYS=off: the routes of keys, a key made before, a user',
  shows: '404 404 404 404, 401, 200',
  async act(world) {
    const app = await world.start('intello', { ...world.environmentOf(at), API_KEYS: 'off' })
    try {
      const token = await world.token(at, who)
      const routes = ['GET /api/keys', 'POST /api/keys', 'POST /api/keys/x/rotate', 'DELETE /api/keys/x']
      const statuses: number[] = []
      for (const line of routes) statuses.push((await ask(app.url, token, line)).status)
      const made = await ask(app.url, await world.token(at, key), `GET ${USED}`)
      return `${statuses.join(' ')}, ${made.status}, ${(await ask(app.url, token, `GET ${USED}`)).status}`
    } finally {
      await app.stop()
    }
  },
})

/** A Supabase user with a password calls an Intello of its own, whose project gives tokens for two seconds. */
export const machineAccount: DeedStep = {
  at: 'intello without seam',
  does: 'a machine account: syncs, then calls without a pause over two renewals, then its project is gone',
  shows: '201, then 200 only; 1 sign-in; in the end token_unavailable',
  async act(world) {
    const account = { email: 'bot@example.test', password: 'a password of the machine account' }
    const project = await startSupabaseIssuer({ users: [account], expiresInSeconds: 2 })
    const environment = { ...world.environmentOf('intello without seam'), AUTH_JWT_AUDIENCE: 'authenticated' }
    const app = await world.start('intello', { ...environment, SUPABASE_URL: project.url })
    const grant = { kind: 'supabase', url: project.url, apiKey: 'anon', ...account } as const
    const client = createTokenClient({ grant, origins: [app.url], timeoutSeconds: 30 })
    try {
      const first = await client.fetch(`${app.url}/auth/sync`, { method: 'POST' })
      const statuses = new Set<number>()
      const call = async (): Promise<unknown> => statuses.add((await client.fetch(`${app.url}/api/me`)).status)
      for (let calls = 0; project.requests.refresh < 2 && calls < 1000; calls++) await call().then(() => wait(10))
      await project.down()
      const end = await callUntilRefused(call)
      return `${first.status}, then ${[...statuses].join(', ')} only; ${project.requests.password} sign-in; in the end ${end}`
    } finally {
      client.close()
      await app.stop()
      await project.close()
    }
  },
}

async function callUntilRefused(call: () => Promise<unknown>): Promise<string> {
  const gaveUp = Date.now() + 60_000
  while (Date.now() < gaveUp) {
    try {
      await call()
    } catch (error) {
      return isTokenClientError(error) ? error.code : String(error)
    }
    await wait(20)
  }
  return 'no end'
}
