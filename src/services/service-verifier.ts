/**
 * Verifies service secrets: a trusted service sends a long shared secret in a header of its own. Hands on its name. A service is nobody: it has no user, no role and no organization.
 */
import * as z from 'zod/mini'
import type { ServiceVerifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isEqualConstantTime, sha256Hex } from '../lib/digest.ts'
import { aHeaderName, parseOptions } from '../lib/parse-options.ts'
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
}

/** Options of {@link createServiceVerifier}. */
export interface ServiceVerifierOptions<S extends string = string> {
  /** The services by name; at least one. */
  readonly services: Readonly<Record<S, ServiceOptions>>
}

interface Entry<S> {
  readonly name: S
  /** Lower case, for comparing. */
  readonly header: string
  readonly digest: string
}

const NAME = 'createServiceVerifier'
const TAKEN: readonly string[] = ['authorization', 'proxy-authorization', 'cookie', 'host']

/**
 * Create the verifier of service secrets.
 *
 * Compares SHA-256 digests of all secrets of the header in constant time, without an early exit. Costs one digest a call,
 * no storage and no network. `verify(header, secret)` refuses with `unauthorized`.
 *
 * @throws TypeError at construction: no service; a secret that is empty, blank, short, given twice for one header, or of
 * characters that can't arrive; a header that belongs to another credential
 * @example
 * const services = createServiceVerifier({
 *   services: { telephony: { header: 'X-Telephony-Secret', secrets: [current, previous] } },
 * })
 */
export function createServiceVerifier<const S extends string>(options: ServiceVerifierOptions<S>): ServiceVerifier<S> {
  const { services } = parseOptions(NAME, { services: z.record(z.string(), z.unknown()) }, options)
  const names = Object.keys(services) as S[]
  if (names.length === 0) throw new TypeError(`${NAME}: option "services" must name at least one service`)
  const parsed = names.map((name) => ({ name, ...readService(name, services[name]) }))
  checkDistinct(parsed)
  const digests = Promise.all(parsed.flatMap((service) => service.secrets.map((secret) => digestOf(service, secret))))
  return Object.freeze({
    services: Object.freeze(parsed.map(({ name, header }) => Object.freeze({ name, header }))),
    async verify(header: string, secret: string) {
      const digest = await sha256Hex(secret)
      const name = match(await digests, header.toLowerCase(), digest)
      if (name === null) throw new AuthError('unauthorized', { reason: 'service_secret_wrong' })
      return name
    },
  })
}

// Every secret of the header is compared, also after one has matched.
function match<S>(entries: readonly Entry<S>[], header: string, digest: string): S | null {
  let found: S | null = null
  for (const entry of entries) {
    if (entry.header === header && isEqualConstantTime(entry.digest, digest)) found = entry.name
  }
  return found
}

async function digestOf<S>(service: { readonly name: S; readonly header: string }, secret: string): Promise<Entry<S>> {
  return { name: service.name, header: service.header.toLowerCase(), digest: await sha256Hex(secret) }
}

function readService(name: string, value: unknown): { readonly header: string; readonly secrets: readonly string[] } {
  const label = `${NAME}: service "${name}"`
  if (name.trim() === '') throw new TypeError(`${NAME}: the name of a service must not be blank`)
  const { header, secrets } = parseOptions(label, { header: aHeaderName(), secrets: z.unknown() }, value)
  if (TAKEN.includes(header.toLowerCase())) {
    throw new TypeError(`${label}: option "header" must be a header of its own, not ${header}`)
  }
  if (secrets === null) return { header, secrets: [] }
  if (!Array.isArray(secrets) || secrets.length < 1 || secrets.length > 2) {
    throw new TypeError(`${label}: option "secrets" must hold one or two secrets, or be null`)
  }
  return { header, secrets: secrets.map((secret) => readSecret(label, secret)) }
}

function readSecret(label: string, secret: unknown): string {
  const weakness = describeWeakSecret(secret)
  if (weakness !== null) throw new TypeError(`${label}: option "secrets": a secret ${weakness}`)
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(secret as string)) {
    throw new TypeError(`${label}: option "secrets": a secret must be of visible ASCII characters other than the comma`)
  }
  return secret as string
}

function checkDistinct(services: readonly { readonly header: string; readonly secrets: readonly string[] }[]): void {
  const all = services.flatMap(({ header, secrets }) => secrets.map((secret) => `${header.toLowerCase()} ${secret}`))
  if (new Set(all).size < all.length) throw new TypeError(`${NAME}: a secret is given twice for one header`)
}
