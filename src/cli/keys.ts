/** The command `sallyport keys`: secrets and key pairs, fresh from the system's randomness, and how each is used. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { createKeyFormat } from '../api-keys/key-format.ts'
import { type CommandLine, didYouMean, type Options, readArguments, wrongUsage } from './arguments.ts'
import { type Terminal, wrap } from './terminal.ts'

const LINE = {
  name: 'sallyport keys',
  usage: `Usage: sallyport keys session|secret|service|pair|api-key [options]

Make what must be random. It alone goes to standard output, so that it can be
stored at once; how it is used goes to standard error.

  session   the secret that local login signs sessions with (hexadecimal)
  secret    a secret shared with an issuer, for HS256
  service   the secret of a service, for createServiceVerifier
  pair      a key pair as JWK: the private key, and the JWK Set to publish
  api-key   an API key, and the row that is kept of it

Options:
  --algorithm <alg>   of a pair: ES256 (default), RS256 or EdDSA
  --prefix <name>     of an API key: how every key begins (createApiKeys)
  --json              print everything as JSON

Exit codes: 0 done, 2 wrong usage.

  export SESSION_SECRET=$(npx sallyport keys session)`,
  options: {
    algorithm: { type: 'string' },
    prefix: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
} as const satisfies CommandLine<Options>

/** The usage of the command. */
export const KEYS_USAGE: string = LINE.usage

/** What was made: what goes to standard output, member by member with `--json`, and how it is used. */
interface Made {
  readonly text: string
  readonly members: object
  readonly use: readonly string[]
}

interface Flags {
  readonly algorithm?: string | undefined
  readonly prefix?: string | undefined
}

const KINDS: Readonly<Record<string, (flags: Flags) => Made>> = {
  session: () =>
    toSecret(randomBytes(32).toString('hex'), [
      'loadSigningSecret({ hex: process.env.SESSION_SECRET, file, onWarning })',
      'A new one logs everybody out.',
    ]),
  secret: () =>
    toSecret(randomBytes(48).toString('base64url'), [
      "keys: [{ kind: 'secret', secret: process.env.JWT_SECRET }]",
      'Whoever has it can sign as anybody: the issuer and this service alone.',
    ]),
  service: () =>
    toSecret(randomBytes(32).toString('base64url'), [
      "createServiceVerifier({ services: { billing: { header: 'X-Billing-Secret',",
      '  secrets: [process.env.BILLING_SECRET] } } })',
      'To change it, list the new one before the old one, then leave the old one out.',
    ]),
  pair: makePair,
  'api-key': makeApiKey,
}

/** Run the command; its exit code. */
export async function keysCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(LINE, args)
  if (values.help === true) {
    terminal.print(LINE.usage)
    return 0
  }
  const [kind, ...more] = positionals
  const names = Object.keys(KINDS)
  if (kind === undefined || more.length > 0) throw wrongUsage(LINE, `name one of ${names.join(', ')}`)
  const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (make === undefined) throw wrongUsage(LINE, `name one of ${names.join(', ')}${didYouMean(kind, names)}`)
  if (values.algorithm !== undefined && kind !== 'pair') throw wrongUsage(LINE, '--algorithm is for a pair')
  if (values.prefix !== undefined && kind !== 'api-key') throw wrongUsage(LINE, '--prefix is for an api-key')
  const { text, members, use } = make(values)
  terminal.print(values.json === true ? JSON.stringify({ command: 'keys', kind, ...members }, null, 2) : text)
  if (values.json !== true)
    for (const line of use.flatMap((text) => wrap(text, terminal.columns))) terminal.remark(line)
  return 0
}

function toSecret(secret: string, use: readonly string[]): Made {
  return { text: secret, members: { secret }, use }
}

const PAIRS: Readonly<Record<string, () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}

function makePair({ algorithm = 'ES256' }: Flags): Made {
  const generate = Object.hasOwn(PAIRS, algorithm) ? PAIRS[algorithm] : undefined
  const known = Object.keys(PAIRS)
  if (generate === undefined) {
    throw wrongUsage(LINE, `--algorithm must be one of ${known.join(', ')}${didYouMean(algorithm, known)}`)
  }
  const { privateKey, publicKey } = generate()
  const shared = publicKey.export({ format: 'jwk' })
  const named = { kid: thumbprintOf(shared), alg: algorithm, use: 'sig' }
  const members = {
    privateJwk: { ...privateKey.export({ format: 'jwk' }), ...named },
    jwks: { keys: [{ ...shared, ...named }] },
  }
  return {
    text: JSON.stringify(members, null, 2),
    members,
    use: [
      'privateJwk signs, and stays where it signs. jwks is public: serve it, or write it out:',
      "keys: [{ kind: 'jwks', keys: jwks.keys }]",
    ],
  }
}

// RFC 7638: the members that a key of its type must have, in the order of their names.
function thumbprintOf({ crv, e, kty, n, x, y }: JsonWebKey): string {
  const members = Object.entries({ crv, e, kty, n, x, y }).filter(([, value]) => value !== undefined)
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url')
}

function makeApiKey({ prefix }: Flags): Made {
  if (prefix === undefined) throw wrongUsage(LINE, 'an api-key needs the --prefix that createApiKeys has')
  let made: ReturnType<ReturnType<typeof createKeyFormat>['create']>
  try {
    made = createKeyFormat(LINE.name, prefix).create()
  } catch {
    throw wrongUsage(LINE, '--prefix must be 2 to 16 lower-case letters and digits, a letter first')
  }
  const { id, secret, key } = made
  const row = { id, secretHash: createHash('sha256').update(secret).digest('hex') }
  return {
    text: key,
    members: { key, row },
    use: [
      'Its owner gets the key, once. The storage keeps the row, by storage.apiKeys.insert:',
      `  id ${row.id}, secretHash ${row.secretHash}`,
      'with orgId, name, role, permissions. Keys of people are made by apiKeys.issue or its routes.',
    ],
  }
}
