/**
 * Tokens as the cases write them: what is claimed, by which key, and what is spoilt afterwards, all in the data, so that
 * a reader sees what is sent. Hands on the text of one token.
 *
 * In claims and header, a string "$absent" removes a member; `{"$now": n}` is the clock plus n seconds; `{"$json": text}`
 * is that text as it is; `{"$repeat": [text, n]}`; `{"$kid": alg}` and `{"$jwk": alg}` a published key's, or the stranger's.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import {
  encodePart,
  type IssuerKey,
  type KeyAlgorithm,
  type SigningAlgorithm,
  signCompact,
  type TokenIssuer,
} from '../../src/testing/token-issuer.ts'
import type { Service } from './case-format.ts'
import { PUBLIC_FORMS } from './public-forms.ts'
import { changeSignature, type SignatureChange } from './signature-changes.ts'

/** How one token is made. An empty recipe is a good token of the member, by the service's own algorithm. */
export interface Recipe {
  /** What to sign by. Default `own`: HS256 where the service has the secret only, else ES256. */
  readonly alg?: SigningAlgorithm | 'own'
  /** Laid over `iss`, `aud`, `sub` (member), `iat` and `exp`. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Laid over `alg`, `typ` (JWT) and the key's `kid`. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Default: the issuer's own key. */
  readonly key?: KeyName
  /** The payload's text instead of its claims: `{{claims}}` is the whole object, `{{members}}` what is inside its braces. */
  readonly payload?: string
  /** The header's text instead of its members, likewise. */
  readonly headerText?: string
  /** How payload text becomes bytes. Default `utf8`. */
  readonly encoding?: 'utf8' | 'latin1' | 'utf16le'
  /** Fill up to exactly so many characters. */
  readonly size?: number
  /** What becomes of the signature's bytes. */
  readonly signature?: SignatureChange
  /**
   * What becomes of the text: `{{h}}`, `{{p}}`, `{{s}}` are the parts, `{{h~}}` … with a stray bit in the last letter,
   * `{{p/}}` in the other base64, `{{none}}` a header of alg none. Default `{{h}}.{{p}}.{{s}}`.
   */
  readonly spelling?: string
}

type KeyName =
  | 'own'
  | 'stranger'
  | 'previous'
  | 'oldest'
  | { readonly secret: string }
  | { readonly public: KeyAlgorithm; readonly as: string }

/** What tokens are made with. */
export interface Mint {
  readonly issuer: TokenIssuer
  /** Published keys that sign no more: the one before, and the one before that. */
  readonly earlier: Readonly<Partial<Record<KeyAlgorithm, readonly IssuerKey[]>>>
  /** Keys nobody published. */
  readonly strangers: Readonly<Record<KeyAlgorithm, IssuerKey>>
  /** Where an attacker would serve keys; counts who asks. */
  readonly attackerUrl: string
}

const RECIPE_MEMBERS = [
  ...['alg', 'claims', 'header', 'key', 'payload', 'headerText', 'encoding', 'size', 'signature', 'spelling'],
]

/** Say what is wrong with a recipe, or `null`. */
export function recipeMistake(recipe: Recipe): string | null {
  const unknown = Object.keys(recipe).find((name) => !RECIPE_MEMBERS.includes(name))
  if (unknown !== undefined) return `unknown member ${unknown}`
  const { key } = recipe
  if (typeof key === 'object' && 'as' in key && !Object.hasOwn(PUBLIC_FORMS, key.as)) return 'key: an unknown form'
  return null
}

/** Make the token of a recipe for a service. */
export function mintToken(mint: Mint, recipe: Recipe, service: Service): string {
  if (recipe.size === undefined) return mintOnce(mint, recipe, service, 0, 0)
  const least = mintOnce(mint, recipe, service, 1, 1).length
  const guess = Math.floor(((recipe.size - least) * 3) / 4) - 8
  for (let claim = Math.max(1, guess); claim < guess + 32; claim += 1) {
    for (const header of [1, 2, 3]) {
      const token = mintOnce(mint, recipe, service, claim, header)
      if (token.length === recipe.size) return token
    }
  }
  throw new Error(`no token of exactly ${recipe.size} characters`)
}

function mintOnce(mint: Mint, recipe: Recipe, service: Service, claimPad: number, headerPad: number): string {
  const alg = recipe.alg === undefined || recipe.alg === 'own' ? (service === 'hs256' ? 'HS256' : 'ES256') : recipe.alg
  const { key, kid } = keyFor(mint, alg, recipe.key ?? 'own')
  const now = Math.floor(mint.issuer.clock() / 1000)
  const claims = writeJson(mint, now, {
    iss: mint.issuer.issuer,
    aud: mint.issuer.audience,
    sub: 'member',
    iat: now - 60,
    exp: now + 3600,
    ...(claimPad > 0 && { pad: 'x'.repeat(claimPad) }),
    ...recipe.claims,
  })
  const header = writeJson(mint, now, {
    alg,
    typ: 'JWT',
    kid: kid ?? '$absent',
    ...(headerPad > 0 && { pad: 'x'.repeat(headerPad) }),
    ...recipe.header,
  })
  const payload = Buffer.from(asText(recipe.payload, claims), recipe.encoding ?? 'utf8')
  const signed = signCompact(asText(recipe.headerText, header), payload, alg, key)
  const [h = '', p = '', s = ''] = signed.split('.')
  const signature = changeSignature(Buffer.from(s, 'base64url'), recipe.signature).toString('base64url')
  const parts: Readonly<Record<string, string>> = { h, p, s: signature, none: encodePart({ alg: 'none' }) }
  return (recipe.spelling ?? '{{h}}.{{p}}.{{s}}').replace(
    /\{\{(h|p|s|none)([~/]?)\}\}/g,
    (_, name: string, how: string) => respell(parts[name] ?? '', how),
  )
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function respell(part: string, how: string): string {
  const other = part.replaceAll('-', '+').replaceAll('_', '/')
  if (how === '/' && other === part) throw new Error('this part is spelt alike in both alphabets: choose other claims')
  if (how === '~' && part.length % 4 === 0) throw new Error('this part has no stray bits: choose other claims')
  if (how === '~') return part.slice(0, -1) + LETTERS[LETTERS.indexOf(part.slice(-1)) + 1]
  return how === '/' ? other : part
}

function asText(template: string | undefined, json: string): string {
  if (template === undefined) return json
  return template.replaceAll('{{claims}}', () => json).replaceAll('{{members}}', () => json.slice(1, -1))
}

function keyFor(
  mint: Mint,
  alg: SigningAlgorithm,
  name: KeyName,
): { readonly key: KeyObject | Uint8Array; readonly kid: string | null } {
  if (typeof name === 'object') {
    const secret =
      'secret' in name ? fill(mint, name.secret) : (PUBLIC_FORMS[name.as]?.(mint.issuer.key(name.public)) ?? '')
    return { key: createSecretKey(Buffer.from(secret)), kid: null }
  }
  if (alg.startsWith('HS')) return { key: Buffer.from(mint.issuer.secret), kid: null }
  const pair = alg === 'ES256' || alg === 'EdDSA' ? alg : 'RS256'
  const own = mint.issuer.key(pair)
  if (name === 'own') return { key: own.privateKey, kid: own.kid }
  if (name === 'stranger') return { key: mint.strangers[pair].privateKey, kid: own.kid }
  const earlier = mint.earlier[pair]?.[name === 'previous' ? 0 : 1]
  if (earlier === undefined) throw new Error(`no ${name} key of ${pair}`)
  return { key: earlier.privateKey, kid: earlier.kid }
}

// Literals of JSON that JSON.stringify can't write go in afterwards, in place of a marked string.
function writeJson(mint: Mint, now: number, members: Readonly<Record<string, unknown>>): string {
  const literals: string[] = []
  const toValue = (value: unknown): unknown => {
    if (typeof value === 'string') return fill(mint, value)
    if (Array.isArray(value)) return value.map(toValue)
    if (typeof value !== 'object' || value === null) return value
    const [name, of] = Object.entries(value)[0] ?? []
    if (name === '$now') return now + (of as number)
    if (name === '$repeat') return (of as [string, number])[0].repeat((of as [string, number])[1])
    if (name === '$kid') return keyNamed(mint, of as string).kid
    if (name === '$jwk') return keyNamed(mint, of as string).publicJwk
    if (name === '$json') return `@literal${literals.push(of as string) - 1}@`
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toValue(inner)]))
  }
  const kept = Object.entries(members).filter(([, value]) => value !== '$absent')
  const text = JSON.stringify(Object.fromEntries(kept.map(([name, value]) => [name, toValue(value)])))
  return text.replace(/"@literal(\d+)@"/g, (_, index: string) => literals[Number(index)] ?? '')
}

function keyNamed({ issuer, strangers }: Mint, name: string): IssuerKey {
  return name === 'stranger' ? strangers.ES256 : issuer.key(name as KeyAlgorithm)
}

function fill({ issuer, attackerUrl }: Mint, text: string): string {
  return text
    .replaceAll('{{issuer}}', issuer.issuer)
    .replaceAll('{{ISSUER}}', issuer.issuer.toUpperCase())
    .replaceAll('{{audience}}', issuer.audience)
    .replaceAll('{{secret}}', issuer.secret)
    .replaceAll('{{secret-hex}}', Buffer.from(issuer.secret).toString('hex'))
    .replaceAll('{{secret-base64}}', Buffer.from(issuer.secret).toString('base64'))
    .replaceAll('{{attacker}}', attackerUrl)
}
