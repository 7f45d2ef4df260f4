/**
 * Issuers as a command line names them: a preset, or issuer, keys and audience one by one. Hands on issuer options, and
 * what of them was left open.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type IssuerOptions, type KeySource, OptionsError, oidc, pemToJwks, supabase } from '../index.ts'
import {
  auth0,
  betterAuth,
  clerk,
  cognito,
  entra,
  firebase,
  githubActions,
  google,
  keycloak,
  kubernetes,
  logto,
  okta,
  workos,
  zitadel,
} from '../verify/presets/index.ts'
import { didYouMean } from './arguments.ts'
import type { Terminal } from './terminal.ts'

/** The options by which a command line names issuers. */
export const ISSUER_FLAGS = {
  issuer: { type: 'string' },
  jwks: { type: 'string' },
  'secret-env': { type: 'string' },
  'secret-encoding': { type: 'string' },
  algorithm: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  preset: { type: 'string' },
  with: { type: 'string', multiple: true },
  'insecure-host': { type: 'string', multiple: true },
} as const

/** How they are told of in a usage. */
export const ISSUER_USAGE = `Whom to trust:
  --issuer <name>       the exact iss; its keys are found by its metadata,
                        unless --jwks or --secret-env says where they are
  --jwks <url|file>     public keys: a JWK Set, or a file of one or of PEM;
                        with --preset in the place of its public ones
  --secret-env <NAME>   the variable that holds the shared secret (HS256)
  --secret-encoding <e> text (default), base64 or base64url
  --algorithm <alg>     accepted; may be repeated. Default: ES256, RS256 and
                        EdDSA of keys, HS256 of a secret
  --audience <aud>      of which the token must name one; may be repeated
  --preset <name>       an identity provider: supabase, auth0, clerk, …
  --with <name>=<value> an option of the preset: --with domain=acme.auth0.com;
                        again for another value of a list
  --insecure-host <h>   a host that keys may come from by plain http`

/** Their values. */
export interface IssuerFlags {
  readonly issuer?: string | undefined
  readonly jwks?: string | undefined
  readonly 'secret-env'?: string | undefined
  readonly 'secret-encoding'?: string | undefined
  readonly algorithm?: readonly string[] | undefined
  readonly audience?: readonly string[] | undefined
  readonly preset?: string | undefined
  readonly with?: readonly string[] | undefined
  readonly 'insecure-host'?: readonly string[] | undefined
}

/** What the command line says of whom to trust. */
export interface NamedIssuers {
  /** None: nobody was named. */
  readonly issuers: readonly IssuerOptions[]
  /** Whether keys were named, or where to find them. */
  readonly hasKeys: boolean
}

const PRESETS: Readonly<Record<string, (options: never) => IssuerOptions>> = {
  supabase,
  oidc,
  auth0,
  betterAuth,
  clerk,
  cognito,
  entra,
  firebase,
  githubActions,
  google,
  keycloak,
  kubernetes,
  logto,
  okta,
  workos,
  zitadel,
}

/**
 * Read the issuer that the flags name.
 * @throws Error with a sentence of ours, `OptionsError` of a preset; no value in either
 */
export function readIssuers(flags: IssuerFlags, terminal: Terminal): NamedIssuers {
  const { issuer, audience, preset } = flags
  const keys = preset === undefined ? readKeys(flags, terminal) : []
  if (preset !== undefined) return { issuers: [readPreset(preset, flags, terminal)], hasKeys: true }
  if (flags.with !== undefined) throw new Error('--with is an option of a --preset')
  if (issuer === undefined && audience === undefined && keys.length === 0) return { issuers: [], hasKeys: false }
  const isFound = keys.length === 0 && issuer !== undefined && /^https?:/i.test(issuer)
  const sources: readonly KeySource[] = isFound ? [{ kind: 'discovery', ...algorithmsOf(flags) } as KeySource] : keys
  const named: IssuerOptions = { issuer: issuer ?? null, keys: sources, audience: audience ?? null }
  return { issuers: [named], hasKeys: sources.length > 0 }
}

function readPreset(name: string, flags: IssuerFlags, terminal: Terminal): IssuerOptions {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined
  const known = Object.keys(PRESETS)
  if (preset === undefined) {
    throw new Error(`there is no preset of that name${didYouMean(name, known)}\nThere are: ${known.join(', ')}.`)
  }
  if (flags['secret-encoding'] !== undefined)
    throw new Error('--secret-encoding is not for a --preset: its secret is text')
  const { issuer, audience } = flags
  const given = {
    ...toOptions(flags.with ?? []),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience: audience.length === 1 ? audience[0] : audience }),
    ...(flags['secret-env'] === undefined ? {} : { secret: readSecret(flags['secret-env'], terminal) }),
    ...algorithmsOf(flags),
  }
  const options = withLists(preset as Preset, given)
  if (flags.jwks === undefined) return options
  const place = placeOf(flags.jwks, terminal)
  const algorithms = flags.algorithm ?? options.keys.find(({ kind }) => kind !== 'secret')?.algorithms
  // What is published is read elsewhere; a secret that was named stays one of its keys.
  const secrets = options.keys.filter(({ kind }) => kind === 'secret')
  return { ...options, keys: [...secrets, { kind: 'jwks', ...place, algorithms } as KeySource] }
}

type Preset = (options: Readonly<Record<string, unknown>>) => IssuerOptions

// One value of a list is written like any other.
function withLists(preset: Preset, given: Readonly<Record<string, unknown>>): IssuerOptions {
  try {
    return preset(given)
  } catch (error) {
    const problems = isWrongOption(error) ? error.problems : []
    const lists = problems.filter(
      ({ option, message }) => message === 'must be of type array' && given[option] !== undefined,
    )
    if (lists.length === 0) throw error
    return preset({ ...given, ...Object.fromEntries(lists.map(({ option }) => [option, [given[option]].flat()])) })
  }
}

function toOptions(texts: readonly string[]): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = Object.create(null)
  for (const [name, value] of texts.map(toOption)) {
    options[name] = name in options ? [options[name], value].flat() : value
  }
  return options
}

function toOption(text: string): readonly [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error('write --with name=value')
  const value = text.slice(at + 1)
  const isJson = /^(?:\[|\{|true$|false$|null$|\d+$)/.test(value)
  try {
    return [text.slice(0, at), isJson ? (JSON.parse(value) as unknown) : value]
  } catch {
    throw new Error(`the value of --with ${text.slice(0, at)} is no JSON`)
  }
}

function readKeys(flags: IssuerFlags, terminal: Terminal): readonly KeySource[] {
  const { jwks, 'secret-env': name, 'secret-encoding': encoding } = flags
  const algorithms = flags.algorithm ?? []
  const [ofSecrets, ofKeys] = [algorithms.filter(isHmac), algorithms.filter((each) => !isHmac(each))]
  const sources: unknown[] = []
  if (jwks !== undefined) sources.push({ kind: 'jwks', ...placeOf(jwks, terminal), ...some(ofKeys) })
  if (name !== undefined) {
    sources.push({ kind: 'secret', secret: readSecret(name, terminal), encoding, ...some(ofSecrets) })
  }
  return sources as readonly KeySource[]
}

const isHmac = (algorithm: string): boolean => algorithm.startsWith('HS')

function some(algorithms: readonly string[]): { readonly algorithms?: readonly string[] } {
  return algorithms.length === 0 ? {} : { algorithms }
}

function algorithmsOf({ algorithm }: IssuerFlags): { readonly algorithms?: readonly string[] } {
  return some(algorithm ?? [])
}

function readSecret(name: string, { env }: Terminal): string {
  const secret = env[name]
  if (secret === undefined)
    throw new Error('--secret-env names a variable that is not set: write its name, not the secret')
  return secret
}

function placeOf(place: string, { folder }: Terminal): object {
  if (/^https?:/i.test(place)) return { url: place }
  let text: string
  try {
    text = readFileSync(resolve(folder, place), 'utf8')
  } catch {
    throw new Error('--jwks names neither a URL nor a file that can be read')
  }
  if (text.includes('-----BEGIN')) return { keys: pemToJwks(text) }
  try {
    const set = JSON.parse(text) as { readonly keys?: unknown }
    return { keys: Array.isArray(set.keys) ? set.keys : [set] }
  } catch {
    throw new Error('--jwks names a file that is neither JSON nor PEM')
  }
}

/** Ask whether it is wrong usage that was thrown: what the flags say can't be an issuer. */
export function isWrongOption(error: unknown): error is OptionsError {
  return error instanceof OptionsError
}
