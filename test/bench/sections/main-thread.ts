/** How late a timer is while 64 verifications are under way: what else the process has to do waits as long. */
import { JOSE, jose, OUR_VERIFY, ours, requireRight, type Verify } from '../contenders.ts'
import { collectGarbage, rowsOf } from '../rounds.ts'
import type { BenchOptions, Group, Section } from '../section.ts'
import { ALGORITHMS, createIssuer, makeTokens, type TokenTexts } from '../tokens.ts'

const AT_ONCE = 64
const TURN_MS = 1000
const TIMER_MS = 1
/** How long after one lot of verifications the next is begun: the same load for whoever verifies. */
const PERIOD_MS = 25
const TOKENS = 2000

export async function benchMainThread({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const rounds = quick ? 3 : 11
  const groups: Group[] = []
  for (const algorithm of ALGORITHMS) {
    const peers = [jose(issuer, algorithm), ours(issuer, null)]
    await requireRight(peers, issuer, algorithm)
    progress(`${algorithm}: making tokens`)
    const tokens = makeTokens(issuer, algorithm, TOKENS)
    const series = await Promise.all(
      peers.map(async ({ name, create }) => ({ name, verify: await create(), values: [] as number[] })),
    )
    for (let round = -1; round < rounds; round++) {
      for (let turn = 0; turn < series.length; turn++) {
        const each = series[(turn + round + series.length) % series.length] as (typeof series)[number]
        progress(`${algorithm}: round ${round + 1} of ${rounds}, ${each.name}`)
        const late = await takeTurn(each.verify, tokens, quick ? TURN_MS / 3 : TURN_MS)
        if (round >= 0) each.values.push(late)
      }
    }
    const head = {
      title: `${AT_ONCE} under way`,
      column: algorithm,
      against: JOSE,
      targets: { [OUR_VERIFY]: { goal: 1, gate: 1.1 } },
    }
    groups.push({
      ...rowsOf(head, series),
      measure: `p99 lateness of a ${TIMER_MS} ms timer`,
      unit: 'ms',
      better: 'lower',
    })
  }
  return {
    title: 'Other work beside it',
    about: `${AT_ONCE} verifications are begun at once every ${PERIOD_MS} ms, as requests come that were read together, nothing cached; \
beside them a timer of ${TIMER_MS} ms is set again and again. The load is the same for both.`,
    groups,
    missing: [
      'Verifiers that answer at once (fast-jwt, jsonwebtoken) are not shown: how long they block is their time a call.',
    ],
  }
}

async function takeTurn(verify: Verify, tokens: TokenTexts, milliseconds: number): Promise<number> {
  collectGarbage()
  const until = performance.now() + milliseconds
  let next = 0
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      const rest = new Promise((resolve) => setTimeout(resolve, PERIOD_MS))
      await Promise.all(Array.from({ length: AT_ONCE }, () => verify(tokens.fresh(next++))))
      await rest
    }
  }
  const lateness: number[] = []
  const watch = async (): Promise<void> => {
    while (performance.now() < until) {
      const set = performance.now()
      await new Promise((resolve) => setTimeout(resolve, TIMER_MS))
      lateness.push(Math.max(0, performance.now() - set - TIMER_MS))
    }
  }
  await Promise.all([watch(), work()])
  lateness.sort((a, b) => a - b)
  return lateness[Math.floor(lateness.length * 0.99)] ?? Number.NaN
}
