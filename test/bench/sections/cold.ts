/** Tokens that nobody has seen before, by each algorithm: one at a time, and 64 under way at once. */
import type { TokenIssuer } from 'sallyport/testing'
import { FAST_JWT, JOSE, OUR_VERIFY, ours, oursWhole, type Peer, requireRight, uncachedPeers } from '../contenders.ts'
import { type Contender, cpuGroup, interleave, rowsOf, type Samples, speedGroup, type Target } from '../rounds.ts'
import type { BenchOptions, Group, Row, Section } from '../section.ts'
import { ALGORITHMS, type Algorithm, createIssuer, freshTexts, makeTokens, type TokenTexts } from '../tokens.ts'

const AT_ONCE = 64
/** As many calls before the clock starts as it takes a compiler to be done. */
const WARM_UP = { passes: 10, tokens: 200 }
/** Fewer than calls in a turn: the uncounted round makes them all known. */
const PEOPLE = 50
const CALLS: Readonly<Record<Algorithm, number>> = { HS256: 1500, RS256: 400, ES256: 400, EdDSA: 300 }

const AGAINST_JOSE: Readonly<Record<Algorithm, Target>> = {
  HS256: { goal: 0.25, gate: 0.4 },
  RS256: { goal: 0.45, gate: 0.6 },
  ES256: { goal: 0.9, gate: 1 },
  EdDSA: { goal: 0.9, gate: 1 },
}

export async function benchCold({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const rounds = quick ? 5 : 15
  const groups: Group[] = []
  const against: Row[] = []
  for (const algorithm of ALGORITHMS) {
    const size = Math.round(CALLS[algorithm] * (quick ? 0.3 : 1))
    progress(`${algorithm}: making tokens`)
    const tokens = makeTokens(issuer, algorithm, size * (rounds + 1), { people: PEOPLE })
    for (const inFlight of [1, AT_ONCE]) {
      const title = inFlight === 1 ? 'One at a time' : `${inFlight} at once`
      const head = { title, column: algorithm, against: JOSE }
      const name = `${algorithm}, ${title.toLowerCase()}`
      const contenders = await contendersOf(issuer, algorithm, tokens)
      const tell = (doing: string): void => progress(`${name}: ${doing}`)
      const samples = await interleave(contenders, { rounds, size, inFlight, progress: tell })
      const targets = { [OUR_VERIFY]: AGAINST_JOSE[algorithm] }
      if (inFlight === 1) groups.push(cpuGroup({ ...head, targets }, samples))
      else groups.push(speedGroup(head, samples))
      const target = AGAINST_FAST_JWT[name]
      if (target !== undefined) against.push(againstFastJwt(name, samples, target))
    }
  }
  return {
    title: 'A token seen for the first time',
    about: `In process; every verifier checks signature, issuer, audience and times, with its keys prepared outside the clock and \
no token coming twice. \`${OUR_VERIFY}\` is the verifier alone, its cache on and of no use; the whole pipeline also finds the user, \
the organization and the role, with the storage in memory, of people who were here before. Who answers at once (fast-jwt, jsonwebtoken) blocks the main thread for \
the length of the check and has never two under way; who does not, uses the other cores.`,
    groups: [
      ...groups.filter(isAlone),
      ...groups.filter((each) => !isAlone(each)),
      { ...FAST_JWT_HEAD, rounds, rows: against },
    ],
    missing: ['jsonwebtoken has no EdDSA.', 'aws-jwt-verify has no HS256, hono/jwk no shared secrets.'],
  }
}

const isAlone = ({ title }: Group): boolean => title === 'One at a time'

async function contendersOf(issuer: TokenIssuer, algorithm: Algorithm, tokens: TokenTexts): Promise<Contender[]> {
  const peers = [...uncachedPeers(issuer, algorithm), ours(issuer), oursWhole(issuer)]
  await requireRight(peers, issuer, algorithm)
  return Promise.all(peers.map((peer) => contenderOf(peer, tokens)))
}

// One instance for all rounds, as in a server; each round brings it the next tokens. Others have warmed the compiler up.
async function contenderOf(
  { name, synchronous, toText = String, create }: Peer,
  tokens: TokenTexts,
): Promise<Contender> {
  for (let pass = 0; pass < WARM_UP.passes; pass++) {
    const verify = await create()
    for (const token of freshTexts(tokens, WARM_UP.tokens)) await verify(toText(token))
  }
  const verify = await create()
  let used = 0
  return {
    name,
    synchronous,
    prepare(size) {
      const texts = freshTexts(tokens, size, used).map((token) => toText(token))
      used += size
      return (call) => verify(texts[call] as string)
    },
  }
}

const AGAINST_FAST_JWT: Readonly<Record<string, Target>> = {
  'HS256, one at a time': { goal: 0.9, gate: 0.7 },
  'RS256, one at a time': { goal: 0.85, gate: 0.7 },
  [`ES256, ${AT_ONCE} at once`]: { goal: 0.9, gate: 0.7 },
}

const FAST_JWT_HEAD = {
  title: `${OUR_VERIFY} against fast-jwt without cache`,
  measure: 'calls a second',
  unit: '1/s',
  better: 'higher',
  against: FAST_JWT,
} as const

function againstFastJwt(title: string, samples: readonly Samples[], target: Target): Row {
  const series = samples.map(({ name, wall }) => ({ name, values: wall.map((each) => 1_000_000 / each) }))
  const { rows } = rowsOf({ title, against: FAST_JWT, targets: { [OUR_VERIFY]: target } }, series)
  return { ...(rows.find(({ name }) => name === OUR_VERIFY) as Row), name: title }
}
