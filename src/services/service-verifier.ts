/**
 * Verifies service secrets: a trusted service sends a long shared secret in a header of its own. Hands on its name. A
 * service is nobody: it has no user, no role and no organization.
 */
import type { ServiceVerifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isEqualConstantTime, sha256Hex } from '../lib/digest.ts'
import {
  aGroup,
  aListOf,
  aRecordOf,
  aScope,
  checkedBy,
  isHttpToken,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { describeWeakSecret } from '../lib/secret-check.ts'

/** One service. */
export interface ServiceOptions {
  /** The header its secret comes in; several services may share one. */
  readonly header: string
  /**
   * The current secret and, while it is being changed, the previous one: at least 32 visible ASCII characters each, without
   * comma or white space (others could never arrive). `null`: nobody can enter, and the header still counts as a credential.
   */
  readonly secrets: readonly [current: string] | readonly [current: string, previous: string] | null
  /** What the service may do: permissions, each a scope token. Default: nothing. */
  readonly permissions?: readonly string[] | undefined
}

/** Options of {@link createServiceVerifier}. */
export interface ServiceVerifierOptions<V extends Services = Services> {
  /** The services by name; at least one. */
  readonly services: V
}

type Services = Readonly<Record<string, ServiceOptions>>

// What the services of `V` may do, by name.
type PermissionsOf<V> = V[keyof V] extends infer E
  ? E extends { readonly permissions?: infer L }
    ? L extends readonly (infer P extends string)[]
      ? P
      : never
    : never
  : never

/**
 * Create the verifier of service secrets.
 *
 * Compares SHA-256 digests of all secrets of the header in constant time, without an early exit. Costs one digest a call,
 * no storage and no network. `verify(header, secret)` refuses with `unauthorized`.
 *
 * @throws OptionsError at construction: no service; a secret that is empty, blank, short, given twice for one header, or of
 * characters that can't arrive; a header that belongs to another credential
 * @example
 * const services = createServiceVerifier({
 *   services: { telephony: { header: 'X-Telephony-Secret', secrets: [current, previous] } },
 * })
 */
export function createServiceVerifier<const V extends Services>(
  options: ServiceVerifierOptions<V>,
): ServiceVerifier<keyof V & string, PermissionsOf<V>> {
  type Declared = ServiceVerifier<keyof V & string, PermissionsOf<V>>
  const parsed = parseOptions<ServiceVerifierOptions>(NAME, shape(), options)
  const services = Object.entries(parsed.services).map(([name, each]) => ({ name: name as keyof V & string, ...each }))
  requireNames(services)
  requireDistinct(services)
  const digests = Promise.all(
    services.flatMap(({ name, header, secrets }) =>
      (secrets ?? []).map(async (secret) => ({ name, header: header.toLowerCase(), digest: await sha256Hex(secret) })),
    ),
  )
  return Object.freeze({
    services: Object.freeze(
      services.map(({ name, header, permissions = [] }) =>
        Object.freeze({ name, header, permissions: Object.freeze([...permissions]) }),
      ),
    ) as Declared['services'],
    async verify(header: string, secret: string) {
      const digest = await sha256Hex(secret)
      let found: (keyof V & string) | null = null
      // Every secret of the header is compared, also after one has matched.
      for (const entry of await digests) {
        if (entry.header === header.toLowerCase() && isEqualConstantTime(entry.digest, digest)) found = entry.name
      }
      if (found === null) throw new AuthError('unauthorized', { reason: 'service_secret_wrong' })
      return found
    },
  })
}

function requireNames(services: readonly { readonly name: string }[]): void {
  if (services.length > 0 && services.every(({ name }) => name.trim() !== '')) return
  throw optionsError(NAME, 'services', 'must name at least one service, and none by blanks')
}

function requireDistinct(services: readonly ServiceOptions[]): void {
  const all = services.flatMap(({ header, secrets }) =>
    (secrets ?? []).map((secret) => `${header.toLowerCase()} ${secret}`),
  )
  if (new Set(all).size < all.length) throw optionsError(NAME, 'services', 'holds a secret twice for one header')
}

const NAME = 'createServiceVerifier'
// A function: what a host does not use must not stay in its bundle.
const shape = (): Shape<ServiceVerifierOptions> => ({
  services: aRecordOf(
    aGroup<ServiceOptions>({
      header: checkedBy(describeHeader),
      secrets: checkedBy(describeSecrets),
      permissions: optional(aListOf(aScope())),
    }),
  ),
})

function describeHeader(header: unknown): string | null {
  if (!isHttpToken(header)) return 'must be a header name'
  return /^(?:authorization|proxy-authorization|cookie|host)$/i.test(header)
    ? 'must be a header of its own, not that of another credential'
    : null
}

function describeSecrets(secrets: unknown): string | null {
  if (secrets === null) return null
  if (!Array.isArray(secrets) || secrets.length < 1 || secrets.length > 2) {
    return 'must hold one or two secrets, or be null'
  }
  const wrong = secrets.map(describeSecret).find((each) => each !== null)
  return wrong === undefined ? null : `holds a secret that ${wrong}`
}

function describeSecret(secret: unknown): string | null {
  const isSendable = typeof secret === 'string' && /^[\x21-\x2b\x2d-\x7e]+$/.test(secret)
  return describeWeakSecret(secret) ?? (isSendable ? null : 'must be of visible ASCII characters other than the comma')
}
