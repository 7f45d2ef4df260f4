/** Tokens that were verified before, picked at random: who has a cache. */
import type { TokenIssuer } from 'sallyport/testing'
import { FAST_JWT_CACHE, fastJwt, OUR_VERIFY, OUR_WHOLE, ours, oursWhole, requireRight } from '../contenders.ts'
import { type Contender, interleave, speedGroup, type Target } from '../rounds.ts'
import type { BenchOptions, Group, Section } from '../section.ts'
import { createIssuer, makeTokens, pickTexts, type TokenTexts } from '../tokens.ts'

const CALLS = 20_000
const isNode20 = process.versions.node.startsWith('20.')

// From Node 22 on the most tokens are held to less: there fast-jwt's cache waits for memory no longer than ours.
function targetsOf(population: number): Readonly<Record<string, Target>> {
  const verify = isNode20 || population < 100_000 ? { goal: 2, gate: 1.6 } : { goal: 1.3, gate: 1.3 }
  return { [OUR_VERIFY]: verify, [OUR_WHOLE]: { goal: 1, gate: 0.7 } }
}

export async function benchWarm({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const groups: Group[] = []
  for (const population of quick ? [1000, 10_000] : [1000, 10_000, 100_000]) {
    const column = `${population.toLocaleString('en')} tokens`
    progress(column)
    const size = quick ? CALLS / 2 : CALLS
    const contenders = await cachedContenders(issuer, makeTokens(issuer, 'HS256', population))
    const rounds = quick ? 7 : 21
    const samples = await interleave(contenders, { rounds, size, progress: (doing) => progress(`${column}: ${doing}`) })
    groups.push(
      speedGroup({ title: 'Cached', column, against: FAST_JWT_CACHE, targets: targetsOf(population) }, samples),
    )
  }
  return {
    title: 'A token seen before',
    about: `In process, HS256 (a hit does no signature work, so the algorithm hardly matters): every cache holds all tokens, each call \
brings one of them at random in a fresh string, as a parser of HTTP makes one (the whole pipeline's with \`Bearer\` before it). fast-jwt is the only peer with a cache. It hands \
every caller the same object, to change as they like; ours are frozen. The whole pipeline (\`${OUR_WHOLE}\`) also finds user, \
organization and role of up to 1,000 people, on every call.`,
    groups,
    missing: [],
  }
}

/** Who caches, with all tokens cached. */
async function cachedContenders(issuer: TokenIssuer, tokens: TokenTexts): Promise<Contender[]> {
  const peers = [fastJwt(issuer, 'HS256', tokens.count), ours(issuer, tokens.count), oursWhole(issuer, tokens.count)]
  await requireRight(peers, issuer, 'HS256')
  const contenders: Contender[] = []
  for (const { name, synchronous, toText = String, create } of peers) {
    const verify = await create()
    for (let index = 0; index < tokens.count; index++) await verify(toText(tokens.fresh(index)))
    let turn = 0
    const prepare = (size: number) => {
      const texts = pickTexts(tokens, size, ++turn).map((token) => toText(token))
      return (call: number) => verify(texts[call] as string)
    }
    contenders.push({ name, synchronous, prepare })
  }
  return contenders
}
