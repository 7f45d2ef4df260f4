/** What becomes of it as tokens and keys grow in number. */
import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { createJwtVerifier } from 'sallyport'
import type { TokenIssuer } from 'sallyport/testing'
import { fastJwt, JOSE, OUR_VERIFY, ours, type Peer, type Verify } from '../contenders.ts'
import { type Contender, cpuGroup, interleave, speedGroup } from '../rounds.ts'
import type { BenchOptions, Group, Section } from '../section.ts'
import {
  AUDIENCE,
  createIssuer,
  freshTexts,
  ISSUER,
  LEEWAY_SECONDS,
  makeTokens,
  pickTexts,
  type TokenTexts,
} from '../tokens.ts'

export async function benchGrowth(options: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  return {
    title: 'Growth',
    about: `Cached HS256 tokens picked at random, by how many there are: each number has a cache of its own size, and from 100,000 on \
memory no longer fits the processor's caches. Below it ES256 tokens, nothing cached, by how many keys the set has; theirs is \
the last one.`,
    groups: [...(await growTokens(issuer, options)), ...(await growKeys(issuer, options))],
    missing: [],
  }
}

async function growTokens(issuer: TokenIssuer, { quick, progress }: BenchOptions): Promise<Group[]> {
  const populations = quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000]
  const texts = populations.map((population) => {
    progress(`making ${population.toLocaleString('en')} tokens`)
    return makeTokens(issuer, 'HS256', population)
  })
  const groups: Group[] = []
  for (const create of [ours, (of: TokenIssuer, size: number): Peer => fastJwt(of, 'HS256', size)]) {
    const contenders: Contender[] = []
    let title = ''
    for (const tokens of texts) {
      const peer = create(issuer, tokens.count)
      title = `${peer.name}, tokens seen before`
      contenders.push(await filled(peer, tokens, progress))
    }
    const rounds = quick ? 5 : 11
    const samples = await interleave(contenders, { rounds, size: 20_000, collects: false, progress })
    groups.push(speedGroup({ title }, samples))
  }
  return groups
}

async function filled(
  { create, synchronous }: Peer,
  tokens: TokenTexts,
  progress: (doing: string) => void,
): Promise<Contender> {
  const name = `${tokens.count.toLocaleString('en')} tokens`
  const verify = await create()
  for (let index = 0; index < tokens.count; index++) {
    if (index % 10_000 === 0) progress(`filling a cache with ${name}`)
    await verify(tokens.fresh(index))
  }
  let turn = 0
  return {
    name,
    synchronous,
    prepare(size) {
      const texts = pickTexts(tokens, size, ++turn)
      return (call) => verify(texts[call] as string)
    },
  }
}

async function growKeys(issuer: TokenIssuer, { quick, progress }: BenchOptions): Promise<Group[]> {
  const counts = [1, 10, 100]
  const size = quick ? 150 : 400
  const rounds = quick ? 5 : 15
  const tokens = makeTokens(issuer, 'ES256', size)
  const groups: Group[] = []
  for (const [name, create] of [
    [OUR_VERIFY, oursWith],
    [JOSE, joseWith],
  ] as const) {
    const contenders = counts.map((count): Contender => {
      const verify = create(keysOf(issuer, count))
      return {
        name: count === 1 ? '1 key' : `${count} keys`,
        prepare() {
          const texts = freshTexts(tokens, size)
          return (call) => verify(texts[call] as string)
        },
      }
    })
    const tell = (doing: string): void => progress(`${name}, ${doing}`)
    const samples = await interleave(contenders, { rounds, size, uncounted: 5, progress: tell })
    groups.push(cpuGroup({ title: `${name}, nothing cached` }, samples))
  }
  return groups
}

function oursWith(keys: readonly object[]): Verify {
  const issuers = [{ issuer: ISSUER, keys: [{ kind: 'jwks' as const, keys }], audience: AUDIENCE }]
  const verifier = createJwtVerifier({ issuers, clockToleranceSeconds: LEEWAY_SECONDS, cache: null })
  return (token) => verifier.verify(token)
}

function joseWith(keys: readonly object[]): Verify {
  const jwks = createLocalJWKSet({ keys } as JSONWebKeySet)
  const options = { issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY_SECONDS }
  return (token) => jwtVerify(token, jwks, options)
}

// The issuer's own is the last one.
function keysOf(issuer: TokenIssuer, count: number): object[] {
  const others = Array.from({ length: count - 1 }, (_, index) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { ...publicKey.export({ format: 'jwk' }), kid: `other-${index}`, alg: 'ES256', use: 'sig' }
  })
  return [...others, issuer.key('ES256').publicJwk]
}
