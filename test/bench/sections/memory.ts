/** What a cached token holds in memory, and whether its text is kept. */
import { getHeapSnapshot } from 'node:v8'
import type { TokenIssuer } from 'sallyport/testing'
import { FAST_JWT_CACHE, fastJwt, OUR_VERIFY, ours, type Peer, requireRight, type Verify } from '../contenders.ts'
import { collectGarbage, rowsOf, spread } from '../rounds.ts'
import type { BenchOptions, Section } from '../section.ts'
import { createIssuer, makeTokens, type TokenTexts } from '../tokens.ts'

export async function benchMemory({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const count = quick ? 10_000 : 50_000
  const rounds = quick ? 3 : 5
  const peers = [fastJwt(issuer, 'HS256', count), ours(issuer, count)]
  await requireRight(peers, issuer, 'HS256')
  const tokens = makeTokens(issuer, 'HS256', count)
  const series = peers.map((peer) => ({ name: peer.name, peer, values: [] as number[] }))
  for (let round = -1; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < series.length; turn++) {
      const each = series[(turn + round + series.length) % series.length] as (typeof series)[number]
      const bytes = await heapOf(each.peer, tokens)
      if (round >= 0) each.values.push(bytes)
    }
  }
  progress('looking for token texts in the heap')
  const kept = await Promise.all(
    peers.map(async (peer) => ({ name: peer.name, values: [await keptTexts(peer, issuer)] })),
  )
  const head = { title: `${count.toLocaleString('en')} tokens cached`, against: FAST_JWT_CACHE }
  const targets = { [OUR_VERIFY]: { goal: 1.2, gate: 1.6 } }
  return {
    title: 'Memory',
    about: `Growth of the heap, garbage collected before and after, for each HS256 token of 850 bytes that a cache holds. The second \
table verifies ${SEARCHED} tokens and looks for their signatures in a snapshot of the heap: whoever reads a dump of the process could \
use them.`,
    groups: [
      { ...rowsOf({ ...head, targets }, series), measure: 'heap for each token', unit: 'B', better: 'lower' },
      {
        title: 'Token texts in the heap',
        measure: `signatures found, of ${SEARCHED}`,
        unit: '',
        better: 'lower',
        against: null,
        rounds: 1,
        rows: kept.map(({ name, values }) => ({
          name,
          value: spread(values),
          ratio: null,
          ...(name === OUR_VERIFY ? { goal: 0, gate: 0 } : {}),
        })),
      },
    ],
    missing: [],
  }
}

async function heapOf({ create }: Peer, tokens: TokenTexts): Promise<number> {
  const verify = await create()
  await verify(tokens.fresh(0))
  const before = settledHeap()
  await verifyAll(verify, tokens)
  const grown = settledHeap() - before
  // Held until here: what it caches counts.
  await verify(tokens.fresh(0))
  return grown / tokens.count
}

async function verifyAll(verify: Verify, tokens: TokenTexts): Promise<void> {
  for (let index = 0; index < tokens.count; index++) await verify(tokens.fresh(index))
}

// Twice: what the first collection lets go of, the second can take.
function settledHeap(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const SEARCHED = 100

async function keptTexts({ create }: Peer, issuer: TokenIssuer): Promise<number> {
  const verify = await create()
  const tokens = makeTokens(issuer, 'HS256', SEARCHED)
  await verifyAll(verify, tokens)
  // What the engine holds on to of the last one is nobody's cache.
  await verify(makeTokens(issuer, 'HS256', 1, { from: SEARCHED }).fresh(0))
  let snapshot = ''
  for await (const chunk of getHeapSnapshot().setEncoding('utf8')) snapshot += chunk
  await verify(tokens.fresh(0))
  let found = 0
  for (let index = 0; index < SEARCHED; index++) {
    // A part of it, lest what is looked for be found because it is looked for.
    const signature = tokens.fresh(index).split('.')[2] as string
    if (snapshot.includes(signature.slice(4, 36))) found++
  }
  return found
}
