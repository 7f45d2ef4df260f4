/** The refusals of the verifier: one token for each check, good in everything else. */

import { createTokenIssuer, type SignOptions, type TokenClaims } from '../../../src/testing/token-issuer.ts'
import { createIssuerLookUp } from '../../../src/verify/issuer-look-up.ts'
import { supabase } from '../../../src/verify/issuer-presets.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../../src/verify/jwt-verifier.ts'
import { logto } from '../../../src/verify/presets/index.ts'
import { createWorld, issuer } from '../world.ts'
import type { Refusal } from './refusal.ts'

const NOW = Math.floor(Date.now() / 1000)
const asymmetric = await createTokenIssuer({ algorithms: ['ES256'] })
const [published] = asymmetric.jwks().keys

const SECRET = { kind: 'secret', secret: issuer.secret } as const

const { audience } = issuer
const TRUSTED = { issuer: issuer.issuer, keys: [SECRET], audience }
// What a host's own rule refuses by `false` has nothing more to say.
const { accepts } = logto({ endpoint: 'https://acme.logto.app', audience })

/** Authenticate with a token through a verifier with further options. */
async function authenticateWith(token: string, options: Partial<JwtVerifierOptions> = {}): Promise<unknown> {
  const verify = createJwtVerifier({ issuers: [TRUSTED], ...options })
  const { authenticate } = createWorld({ auth: () => ({ verifier: verify as never }) })
  return authenticate({ headers: { authorization: `Bearer ${token}` } }, { needs: 'identity' })
}

/** Authenticate with a token of the issuer, signed with these claims and this header. */
async function authenticateSigned(claims: TokenClaims, how: SignOptions = {}, options?: Partial<JwtVerifierOptions>) {
  return authenticateWith(await issuer.sign(claims, how), options)
}

/** Authenticate with a token of key pairs, where the verifier has these public keys. */
async function authenticateAsymmetric(keys: readonly object[], how: SignOptions): Promise<unknown> {
  const issuers = [{ issuer: asymmetric.issuer, keys: [{ kind: 'jwks' as const, keys }], audience }]
  return authenticateWith(await asymmetric.sign({}, how), { issuers })
}

/** Authenticate with a token of a Supabase project. */
async function authenticateSupabase(claims: TokenClaims): Promise<unknown> {
  const issuers = [supabase({ issuer: issuer.issuer, secret: issuer.secret, audience })]
  return authenticateWith(await issuer.sign(claims), { issuers })
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

async function withPart(index: 0 | 1, text: string): Promise<string> {
  const parts = (await issuer.sign()).split('.')
  parts[index] = text
  return parts.join('.')
}

function unauthorized(reason: string, provoke: () => unknown): Refusal {
  return { reason, code: 'unauthorized', provoke }
}

export const REFUSALS_OF_TOKENS: readonly Refusal[] = [
  unauthorized('token_oversize', () => authenticateSigned({}, {}, { maxTokenBytes: 64 })),
  unauthorized('token_not_a_jwt', () => authenticateWith('null')),
  unauthorized('token_part_count', async () => authenticateWith(`${await issuer.sign()}.x`)),
  unauthorized('token_part_encoding', async () => authenticateWith(`${await issuer.sign()}=`)),
  unauthorized('token_header_not_object', async () => authenticateWith(await withPart(0, encode([])))),
  unauthorized('token_payload_not_object', async () => authenticateWith(await withPart(1, encode('claims')))),
  unauthorized('token_header_extension', () => authenticateSigned({}, { header: { crit: ['exp'] } })),
  unauthorized('token_algorithm_unknown', () => authenticateSigned({}, { header: { alg: 'none' } })),
  unauthorized('token_kid_malformed', () => authenticateSigned({}, { kid: 'k'.repeat(257) })),
  unauthorized('token_type_malformed', () => authenticateSigned({}, { header: { typ: null } })),
  unauthorized('token_type_refused', () => authenticateSigned({}, { typ: 'session+jwt' })),
  unauthorized('token_issuer_unknown', () => authenticateSigned({ iss: 'https://evil.test' })),
  {
    reason: 'issuer_look_ups_exhausted',
    code: 'keys_unavailable',
    wire: { retryAfter: '60' },
    provoke: async () => {
      const lookUp = createIssuerLookUp({ mayBe: () => true, find: async () => null })
      const verifier = createJwtVerifier({ issuers: [TRUSTED], lookUp })
      const tokens = await Promise.all(Array.from({ length: 21 }, (_, i) => issuer.sign({ iss: `https://${i}.test` })))
      for (const token of tokens.slice(0, 20)) await verifier.verify(token).catch(() => undefined)
      const { authenticate } = createWorld({ auth: () => ({ verifier: verifier as never }) })
      return authenticate({ headers: { authorization: `Bearer ${tokens[20]}` } }, { needs: 'identity' })
    },
  },
  {
    reason: 'issuer_look_up_failing',
    code: 'keys_unavailable',
    wire: { retryAfter: '1' },
    provoke: async () => {
      const find = (): Promise<null> => Promise.reject(new Error('no storage'))
      const verifier = createJwtVerifier({ issuers: [], lookUp: createIssuerLookUp({ mayBe: () => true, find }) })
      const token = await issuer.sign()
      await verifier.verify(token).catch(() => undefined)
      const { authenticate } = createWorld({ auth: () => ({ verifier: verifier as never }) })
      return authenticate({ headers: { authorization: `Bearer ${token}` } }, { needs: 'identity' })
    },
  },
  unauthorized('token_algorithm_not_of_issuer', async () => authenticateWith(await asymmetric.sign())),
  unauthorized('token_signature_invalid', () => authenticateSigned({}, { key: new Uint8Array(32).fill(7) })),
  unauthorized('token_key_unknown', () => authenticateAsymmetric([published as object], { kid: 'another' })),
  unauthorized('token_key_ambiguous', async () => {
    const others = await Promise.all([1, 2].map(() => createTokenIssuer({ algorithms: ['ES256'] })))
    const keys = [published as object, ...others.flatMap((other) => other.jwks().keys)]
    return authenticateAsymmetric(keys, { kid: null })
  }),
  unauthorized('token_subject_malformed', () => authenticateSigned({ sub: ' ' })),
  unauthorized('token_audience_malformed', () => authenticateSigned({ aud: [issuer.audience, 1] })),
  unauthorized('token_audience_missing', () => authenticateSigned({ aud: undefined })),
  unauthorized('token_audience_other', () => authenticateSigned({ aud: 'another' })),
  unauthorized('token_bound_to_key', () => authenticateSigned({ cnf: { jkt: 'thumbprint' } })),
  unauthorized('token_scopes_malformed', () => {
    const issuers = [{ ...TRUSTED, claims: { scopes: 'scope' } }]
    return authenticateSigned({ scope: 'read\twrite' }, {}, { issuers })
  }),
  unauthorized('token_actor_malformed', () => authenticateSigned({ act: 'agent' })),
  unauthorized('token_time_malformed', () => authenticateSigned({ nbf: '0' })),
  unauthorized('token_not_yet_valid', () => authenticateSigned({ nbf: NOW + 600 })),
  unauthorized('token_issued_in_future', () => authenticateSigned({ iat: NOW + 600 })),
  unauthorized('token_too_old', () => authenticateSigned({ iat: NOW - 600 }, {}, { maxTokenAgeSeconds: 60 })),
  unauthorized('token_without_expiry', () => authenticateSigned({ exp: undefined })),
  { reason: 'token_expiry_passed', code: 'token_expired', provoke: () => authenticateSigned({ exp: NOW - 600 }) },
  {
    reason: 'key_servers_failing',
    code: 'keys_unavailable',
    wire: { retryAfter: '30' },
    provoke: async () => {
      const fetch = async (): Promise<Response> => new Response('', { status: 500 })
      const keys = [{ kind: 'jwks' as const, url: 'https://keys.test/jwks' }]
      return authenticateWith(await asymmetric.sign(), {
        issuers: [{ issuer: asymmetric.issuer, keys, audience }],
        fetch,
      })
    },
  },
  {
    reason: 'identity_check_refused',
    code: 'unauthorized',
    provoke: () => authenticateSigned({}, {}, { issuers: [{ ...TRUSTED, check: async () => false }] }),
  },
  { reason: 'token_of_a_machine', code: 'forbidden', provoke: () => authenticateSigned({ sub: 'm', client_id: 'm' }) },
  { reason: 'anonymous_user', code: 'forbidden', provoke: () => authenticateSupabase({ is_anonymous: true }) },
  { reason: 'third_party_app', code: 'forbidden', provoke: () => authenticateSupabase({ client_id: 'app' }) },
  {
    reason: 'token_kind_not_accepted',
    code: 'forbidden',
    provoke: () => authenticateSigned({}, {}, { issuers: [{ ...TRUSTED, accepts }] }),
  },
]
