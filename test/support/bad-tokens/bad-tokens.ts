/**
 * Every kind of token that must be refused, as data: hosts and our own corpus loop over it.
 */

import type { IssuerAlgorithm, TokenIssuer } from '../../../src/testing/token-issuer.ts'
import { createBench } from './bench.ts'
import { BAD_CLAIM_TOKENS } from './claim-tokens.ts'
import { BAD_FORM_TOKENS } from './form-tokens.ts'
import { BAD_HEADER_TOKENS } from './header-tokens.ts'
import { BAD_KEY_TOKENS } from './key-tokens.ts'
import { BAD_PAYLOAD_TOKENS } from './payload-tokens.ts'

/** A token that must be refused. */
export interface BadToken {
  /** Unique: what is wrong, in a few words. */
  readonly name: string
  /** The id of the requirement that refuses it. */
  readonly requirement: string
  /** Why it must be refused. */
  readonly why: string
  /** The public code of the refusal; status 401 either way. */
  readonly code: 'unauthorized' | 'token_expired'
  readonly token: string
}

/** Options of {@link badTokens}. */
export interface BadTokensOptions {
  /** What the spoilt tokens are signed by. Default: the issuer's first. */
  readonly algorithm?: IssuerAlgorithm | undefined
  /** Where a token's `jku` and `x5u` point; put a server there to count that nobody asks. */
  readonly attackerUrl?: string | undefined
}

const RECIPES = [
  ...BAD_CLAIM_TOKENS,
  ...BAD_PAYLOAD_TOKENS,
  ...BAD_HEADER_TOKENS,
  ...BAD_KEY_TOKENS,
  ...BAD_FORM_TOKENS,
]

/**
 * Make the bad tokens of an issuer, hundreds of them, each wrong in one way. None has white space, a comma or a control character,
 * so that each can be sent as a bearer token and is 401. A verifier of the issuer's algorithms, its audience, with
 * `typ` absent or `JWT` and at most 8,192 characters, must refuse them all. Costs two signatures a token, no network.
 *
 * @param issuer whose good tokens are accepted
 * @param options the algorithm, and where an attacker's keys would lie
 * @example
 * for (const { name, code, token } of await badTokens(issuer)) {
 *   it(name, () => expect(verifier.verify(token)).rejects.toMatchObject({ code }))
 * }
 */
export async function badTokens(issuer: TokenIssuer, options: BadTokensOptions = {}): Promise<readonly BadToken[]> {
  const algorithm = options.algorithm ?? issuer.algorithms[0] ?? 'HS256'
  const bench = await createBench(issuer, algorithm, options.attackerUrl ?? 'https://attacker.test/jwks.json')
  const tokens: BadToken[] = []
  for (const { make, code = 'unauthorized', ...recipe } of RECIPES) {
    const token = await make(bench)
    if (token !== null) tokens.push(Object.freeze({ ...recipe, code, token }))
  }
  return Object.freeze(tokens)
}
