/** What it costs to refuse: garbage, tokens without a signature, by unknown keys, expired, forged. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { TokenIssuer } from 'sallyport/testing'
import { FAST_JWT, fastJwt, JOSE, jose, OUR_VERIFY, ours, type Peer, requireRight, type Verify } from '../contenders.ts'
import { type Contender, interleave, rowsOf, type Target } from '../rounds.ts'
import type { BenchOptions, Group, Section } from '../section.ts'
import { createIssuer, freshTexts, LEEWAY_SECONDS, makeTokens, type TokenTexts, textsOf } from '../tokens.ts'

const SIZE = 400
/** Calls a turn: the tokens several times, each time as fresh texts. A few hundred refusals take less than a clock's tick. */
const CALLS = 2000
/** Good tokens that each contender takes between refusals, before the clock starts. */
const SERVED = 3000
/** How long the tokens live that are seen while they are good. */
const LIFE_SECONDS = 8

interface Kind {
  readonly title: string
  readonly texts: TokenTexts
  readonly target?: Target
  /** Whether they are verified once while they are good. */
  readonly isSeen?: boolean
  /** Whether only who has a key set refuses them. */
  readonly looksAtKeyIds?: boolean
}

export async function benchRefusals({ quick, progress }: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const size = quick ? SIZE / 2 : SIZE
  const calls = quick ? CALLS / 2 : CALLS
  const rounds = quick ? 5 : 15
  const peers = [jose(issuer, 'ES256'), fastJwt(issuer, 'ES256', false), ours(issuer)]
  await requireRight(peers, issuer, 'ES256')
  const verify = await Promise.all(peers.map(({ create }) => create()))
  const seen = await seeWhileGood(issuer, peers, size)
  const kinds = kindsOf(issuer, size, seen.texts)
  const served = makeTokens(issuer, 'ES256', quick ? SERVED / 3 : SERVED, { from: 2_000_000 })
  for (const each of [...verify, ...seen.verify]) await serveAndRefuse(each, served, kinds)
  const groups: Group[] = []
  for (const { title, texts, target, isSeen, looksAtKeyIds } of kinds) {
    if (isSeen === true) await delay(Math.max(0, seen.expiredAt - Date.now()))
    const contenders = peers
      .map((peer, index) => refusing(peer, (isSeen === true ? seen.verify : verify)[index] as Verify, texts))
      .filter(({ name }) => name !== FAST_JWT || looksAtKeyIds !== true)
    const tell = (doing: string): void => progress(`${title}: ${doing}`)
    // Where no error is alive when garbage is collected, what V8 knows of their class goes too, and compiled code with it: in a
    // turn of milliseconds that is most of what would be measured.
    const samples = await interleave(contenders, { rounds, size: calls, uncounted: 3, collects: false, progress: tell })
    const series = samples.map(({ name, cpu }) => ({ name, values: cpu.map((each) => 1_000_000 / each) }))
    const targets = target === undefined ? {} : { [OUR_VERIFY]: target }
    const rows = rowsOf({ title: 'Refused', column: title, against: JOSE, targets }, series)
    groups.push({ ...rows, measure: 'refusals for a second of processor time', unit: '1/s', better: 'higher' })
  }
  return {
    title: 'Refusing',
    about: `In process, ES256 with a JWK Set, distinct tokens, one at a time; a refusal is thrown or rejected, and caught. Before \
the clock starts every contender has served good tokens between bad ones, as a service does: a function that only ever throws is not \
compiled. Form, issuer, algorithm and key are looked at before any cryptography. Of tokens by one and the same unknown key the header is read \
once, and no claim is parsed. An expired token that was never seen costs its signature check: \
\`token_expired\` is said of a good token only. One that was verified while it was good is known. jose and fast-jwt without its cache \
know nothing of it.`,
    groups,
    missing: ['fast-jwt has one key here and looks at no key id: it is left out of the tokens by an unknown key.'],
  }
}

function kindsOf(issuer: TokenIssuer, size: number, seen: TokenTexts): Kind[] {
  const es256 = (options: object): TokenTexts => makeTokens(issuer, 'ES256', size, options)
  const good = es256({})
  const part = (bytes: number): string => randomBytes(bytes).toString('base64url')
  const parts = (index: number): string[] => good.fresh(index).split('.')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const hour = Math.floor(Date.now() / 1000) - 3600
  return [
    {
      title: 'Garbage of three parts',
      texts: textsOf(size, () => `${part(36)}.${part(400)}.${part(64)}`),
      target: { goal: 20, gate: 10 },
    },
    {
      title: 'Algorithm none',
      texts: textsOf(size, (index) => `${none}.${parts(index)[1]}.`),
      target: { goal: 8, gate: 5 },
    },
    {
      title: 'An unknown key',
      texts: es256({ header: { kid: 'gone' } }),
      target: { goal: 8, gate: 5 },
      looksAtKeyIds: true,
    },
    {
      title: 'Unknown keys, each another',
      texts: textsOf(size, (index) => makeTokens(issuer, 'ES256', 1, { header: { kid: `gone-${index}` } }).fresh(0)),
      looksAtKeyIds: true,
    },
    {
      title: 'A forged signature',
      texts: textsOf(size, (index) => `${parts(index).slice(0, 2).join('.')}.${part(64)}`),
    },
    { title: 'Expired, never seen', texts: es256({ claims: { iat: hour - 3600, exp: hour } }) },
    { title: 'Expired, seen while it was good', texts: seen, target: { goal: 20, gate: 10 }, isSeen: true },
  ]
}

interface Seen {
  readonly texts: TokenTexts
  readonly verify: readonly Verify[]
  readonly expiredAt: number
}

async function seeWhileGood(issuer: TokenIssuer, peers: readonly Peer[], size: number): Promise<Seen> {
  const exp = Math.ceil(Date.now() / 1000) + LIFE_SECONDS
  const texts = makeTokens(issuer, 'ES256', size, { claims: { exp }, from: 1_000_000 })
  const verify = await Promise.all(peers.map(({ create }) => create()))
  for (const each of verify) for (let index = 0; index < size; index++) await each(texts.fresh(index))
  return { texts, verify, expiredAt: (exp + LEEWAY_SECONDS + 1) * 1000 }
}

// One good, one bad, in turn.
async function serveAndRefuse(verify: Verify, served: TokenTexts, kinds: readonly Kind[]): Promise<void> {
  for (let index = 0; index < served.count; index++) {
    await verify(served.fresh(index))
    const { texts } = kinds[index % kinds.length] as Kind
    await Promise.resolve(texts.fresh(index))
      .then(verify)
      .catch(() => {})
  }
}

// The answer is the refusal; what passes gives none.
function refusing({ name, synchronous }: Peer, verify: Verify, texts: TokenTexts): Contender {
  return {
    name,
    synchronous,
    prepare(size) {
      const fresh = freshTexts(texts, size)
      if (synchronous) return (call) => refusalOf(verify, fresh[call] as string)
      return (call) =>
        (verify(fresh[call] as string) as Promise<unknown>).then(
          () => null,
          (refusal: unknown) => refusal,
        )
    },
  }
}

function refusalOf(verify: Verify, token: string): unknown {
  try {
    verify(token)
    return null
  } catch (refusal) {
    return refusal
  }
}
