// A seeded mutator of tokens: bits, bytes, splices, cuts, parts doubled, parts swapped between tokens, headers edited.

/** A generator of numbers in [0, 1) that a seed fixes. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Mutation = (token: string, tokens: readonly string[], random: () => number) => string

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)] as T
const partsOf = (token: string): string[] => token.split('.')
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n\u00e9\ud800'
const HEADER_EDITS: readonly object[] = [
  { alg: 'none' },
  { alg: 'HS256' },
  { alg: 'ES256' },
  { alg: 'RS256' },
  { alg: 'EdDSA' },
  { alg: 'ES384' },
  { kid: undefined },
  { kid: '' },
  { kid: 'es256-1' },
  { kid: 7 },
  { typ: 'session+jwt' },
  { typ: 'at+jwt' },
  { crit: ['b64'], b64: false },
  { zip: 'DEF' },
  { jku: 'https://evil.test' },
  { x: 1 },
]

const MUTATIONS: readonly Mutation[] = [
  // A bit of what the token says, re-encoded: the text stays canonical.
  (token, _, random) => {
    const parts = partsOf(token)
    const at = Math.floor(random() * 3)
    const bytes = Buffer.from(parts[at] ?? '', 'base64url')
    const index = Math.floor(random() * bytes.length)
    bytes[index] = (bytes[index] ?? 0) ^ (1 << Math.floor(random() * 8))
    parts[at] = bytes.toString('base64url')
    return parts.join('.')
  },
  // A character of the text.
  (token, _, random) => {
    const index = Math.floor(random() * token.length)
    return token.slice(0, index) + pick([...LETTERS], random) + token.slice(index + 1)
  },
  (token, _, random) => {
    const index = Math.floor(random() * (token.length + 1))
    return token.slice(0, index) + pick([...LETTERS], random) + token.slice(index)
  },
  // A splice of two tokens.
  (token, tokens, random) => {
    const index = Math.floor(random() * token.length)
    return token.slice(0, index) + pick(tokens, random).slice(index)
  },
  (token, _, random) => token.slice(0, Math.floor(random() * token.length)),
  (token, _, random) => token.slice(1 + Math.floor(random() * (token.length - 1))),
  // A part doubled, within itself or beside itself.
  (token, _, random) => {
    const parts = partsOf(token)
    const at = Math.floor(random() * 3)
    return random() < 0.5
      ? parts.toSpliced(at, 0, parts[at] ?? '').join('.')
      : parts.with(at, `${parts[at]}${parts[at]}`).join('.')
  },
  // A part of another token.
  (token, tokens, random) => {
    const at = Math.floor(random() * 3)
    return partsOf(token)
      .with(at, partsOf(pick(tokens, random))[at] ?? '')
      .join('.')
  },
  (token, _, random) => {
    const [header = '', ...rest] = partsOf(token)
    const edited = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), ...pick(HEADER_EDITS, random) }
    return [Buffer.from(JSON.stringify(edited)).toString('base64url'), ...rest].join('.')
  },
  (token, _, random) => {
    const [header, payload = '', signature] = partsOf(token)
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const name = pick(['sub', 'aud', 'iss', 'exp', 'nbf', 'iat', 'role'], random)
    claims[name] = pick([undefined, null, 0, 1e300, 'x', [], {}, [claims[name]], `${claims[name]}`], random)
    return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
  },
]

/** Make `count` tokens that differ from all of `tokens`. */
export function* mutate(tokens: readonly string[], count: number, seed: number): Generator<string> {
  const random = createRandom(seed)
  const good = new Set(tokens)
  for (let made = 0; made < count; ) {
    let token = pick(tokens, random)
    for (let n = 1 + Math.floor(random() * 2); n > 0; n -= 1) {
      // A token that is damaged already may hold no JSON for the next edit.
      try {
        token = pick(MUTATIONS, random)(token, tokens, random)
      } catch {}
    }
    if (good.has(token)) continue
    made += 1
    yield token
  }
}
