/** Good tokens that are cached, between five times as many forged ones. */
import { randomBytes } from 'node:crypto'
import { FAST_JWT_CACHE, fastJwt, OUR_VERIFY, ours, type Peer, requireRight, type Verify } from '../contenders.ts'
import { collectGarbage, rowsOf } from '../rounds.ts'
import { type BenchOptions, type Group, type Section, WrongAnswer } from '../section.ts'
import { createIssuer, makeTokens, pickTexts, type TokenTexts } from '../tokens.ts'

const PLACES = 1000
const GOOD = 500
const FORGED_PER_GOOD = 5
const WARM_UP_PASSES = 20

interface Contender {
  readonly name: string
  readonly verify: Verify
  /** What each good token was answered before: another object means that it was verified anew. */
  readonly answers: Map<string, unknown>
  readonly median: number[]
  readonly p99: number[]
  readonly evicted: number[]
}

export async function benchFlood({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const rounds = quick ? 3 : 9
  const peers = [fastJwt(issuer, 'ES256', PLACES), ours(issuer, PLACES)]
  await requireRight(peers, issuer, 'ES256')
  const tokens = makeTokens(issuer, 'ES256', GOOD)
  const groups: Group[] = []
  for (const forged of [0, FORGED_PER_GOOD]) {
    const contenders = await Promise.all(peers.map((peer) => contenderOf(peer, tokens)))
    for (let round = -1; round < rounds; round++) {
      progress(`${forged} forged for each good one, round ${round + 1} of ${rounds}`)
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round + contenders.length) % contenders.length] as Contender
        await takeTurn(contender, tokens, { forged, round, isCounted: round >= 0 })
      }
    }
    groups.push(...groupsOf(forged, contenders))
  }
  return {
    title: 'A flood of forged tokens',
    about: `${GOOD} good ES256 tokens in a cache of ${PLACES}; before each good one ${FORGED_PER_GOOD} come whose signatures are \
forged, no two alike, all in one thread. Timed is the good one alone. fast-jwt gives refused tokens places in its cache, so that \
a flood empties it; in ours only what verified has a place. Nobody avoids the signature checks of the forged ones: bounding their \
number is a rate limiter's work.`,
    groups,
    missing: [],
  }
}

async function contenderOf({ name, create }: Peer, tokens: TokenTexts): Promise<Contender> {
  const verify = await create()
  const answers = new Map<string, unknown>()
  for (let pass = 0; pass < WARM_UP_PASSES; pass++) {
    for (let index = 0; index < tokens.count; index++)
      answers.set(tokens.fresh(index), await verify(tokens.fresh(index)))
  }
  return { name, verify, answers, median: [], p99: [], evicted: [] }
}

interface Turn {
  readonly forged: number
  readonly round: number
  readonly isCounted: boolean
}

async function takeTurn(contender: Contender, tokens: TokenTexts, { forged, round, isCounted }: Turn): Promise<void> {
  const { verify, answers } = contender
  const good = pickTexts(tokens, GOOD, round + 2)
  const bad = forge(tokens, GOOD * forged)
  const times: number[] = []
  const given: unknown[] = []
  collectGarbage()
  for (const [index, token] of good.entries()) {
    for (const each of bad.slice(index * forged, (index + 1) * forged)) await requireRefused(contender, each)
    const begun = process.hrtime.bigint()
    const answer = verify(token)
    given.push(answer instanceof Promise ? await answer : answer)
    times.push(Number(process.hrtime.bigint() - begun) / 1000)
  }
  const anew = good.filter((token, index) => answers.get(token) !== given[index])
  good.forEach((token, index) => void answers.set(token, given[index]))
  if (!isCounted) return
  times.sort((a, b) => a - b)
  contender.median.push(times[Math.floor(times.length / 2)] as number)
  contender.p99.push(times[Math.floor(times.length * 0.99)] as number)
  contender.evicted.push(new Set(anew).size)
}

async function requireRefused({ name, verify }: Contender, token: string): Promise<void> {
  try {
    await verify(token)
  } catch {
    return
  }
  throw new WrongAnswer(`${name} passed a forged token`)
}

function forge(tokens: TokenTexts, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const token = tokens.fresh(index)
    return `${token.slice(0, token.lastIndexOf('.'))}.${randomBytes(64).toString('base64url')}`
  })
}

function groupsOf(forged: number, contenders: readonly Contender[]): Group[] {
  const title = forged === 0 ? 'No forged ones' : `${forged} forged ones before each`
  const isFlooded = forged > 0
  const series = (values: (each: Contender) => readonly number[]) =>
    contenders.map((each) => ({ name: each.name, values: values(each) }))
  const rows = (target: { goal: number; gate: number } | null, values: (each: Contender) => readonly number[]) => {
    const targets = target !== null && isFlooded ? { [OUR_VERIFY]: target } : {}
    return rowsOf({ title, against: FAST_JWT_CACHE, targets }, series(values))
  }
  const evicted = rows({ goal: 0, gate: 0 }, ({ evicted }) => evicted)
  return [
    {
      ...rows({ goal: 12, gate: 8 }, ({ median }) => median.map((each) => 1_000_000 / each)),
      measure: 'good tokens a second, at the median',
      unit: '1/s',
      better: 'higher',
    },
    { ...rows(null, ({ p99 }) => p99), measure: 'p99 of a good one', unit: 'µs', better: 'lower' },
    {
      ...evicted,
      against: null,
      rows: evicted.rows.map((row) => ({ ...row, ratio: null })),
      measure: 'good tokens that had to be verified anew, of those picked',
      unit: '',
      better: 'lower',
    },
  ]
}
