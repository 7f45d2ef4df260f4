/** Tokens that nobody has seen before, by each algorithm: one at a time, and 64 under way at once. */
import type { TokenIssuer } from 'sallyport/testing'
import { FAST_JWT, JOSE, OUR_VERIFY, ours, oursWhole, type Peer, requireRight, uncachedPeers } from '../contenders.ts'
import { type Contender, cpuGroup, interleave, rowsOf, type Samples, speedGroup, type Target } from '../rounds.ts'
import type { BenchOptions, Group, Row, Section } from '../section.ts'
import { ALGORITHMS, type Algorithm, createIssuer, freshTexts, makeTokens } from '../tokens.ts'

const AT_ONCE = 64
const CALLS: Readonly<Record<Algorithm, number>> = { HS256: 1500, RS256: 700, ES256: 500, EdDSA: 400 }

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
  for (const inFlight of [1, AT_ONCE]) {
    const how = inFlight === 1 ? 'one at a time' : `${inFlight} at once`
    for (const algorithm of ALGORITHMS) {
      const size = Math.round(CALLS[algorithm] * (quick ? 0.4 : 1))
      const contenders = await contendersOf(issuer, algorithm, size)
      const title = `${algorithm}, ${how}`
      const tell = (doing: string): void => progress(`${title}: ${doing}`)
      const samples = await interleave(contenders, { rounds, size, inFlight, progress: tell })
      const targets = { [OUR_VERIFY]: AGAINST_JOSE[algorithm] }
      if (inFlight === 1) groups.push(cpuGroup({ title, against: JOSE, targets }, samples))
      else groups.push(speedGroup({ title, against: JOSE }, samples))
      const target = AGAINST_FAST_JWT[title]
      if (target !== undefined) against.push(againstFastJwt(title, samples, target))
    }
  }
  return {
    title: 'A token seen for the first time',
    about: `In process; every verifier checks signature, issuer, audience and times, with its keys prepared outside the clock and \
no token coming twice. \`${OUR_VERIFY}\` is the verifier alone, its cache on and of no use; the whole pipeline also finds the user, \
the organization and the role, with the storage in memory. Who answers at once (fast-jwt, jsonwebtoken) blocks the main thread for \
the length of the check and has never two under way; who does not, uses the other cores.`,
    groups: [...groups, { ...FAST_JWT_HEAD, rounds, rows: against }],
    missing: ['jsonwebtoken has no EdDSA.', 'aws-jwt-verify has no HS256, hono/jwk no shared secrets.'],
  }
}

async function contendersOf(issuer: TokenIssuer, algorithm: Algorithm, size: number): Promise<Contender[]> {
  const peers = [...uncachedPeers(issuer, algorithm), ours(issuer), oursWhole(issuer)]
  await requireRight(peers, issuer, algorithm)
  const tokens = makeTokens(issuer, algorithm, size)
  // The numbers below the tokens': its people are known to the pipeline when the clock starts.
  const others = makeTokens(issuer, algorithm, 100, { from: size })
  return peers.map((peer) => contenderOf(peer, freshTexts(others, others.count), () => freshTexts(tokens, size)))
}

// A fresh one each turn: nothing is cached but keys.
function contenderOf({ name, synchronous, create }: Peer, first: readonly string[], texts: () => string[]): Contender {
  return {
    name,
    synchronous,
    async prepare() {
      const verify = await create()
      for (const text of first) await verify(text)
      const fresh = texts()
      return (call) => verify(fresh[call] as string)
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
