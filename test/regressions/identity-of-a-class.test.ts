/**
 * Of an identity that a host's own verifier makes of a class, or lets inherit from another one, the pipeline's copy had only what is the
 * object's own: without its kind a machine passed for a person, without issuer and subject everybody was the same one.
 */
import { expect, it } from 'vitest'
import type { ApiKey, Identity, Verifier } from '../../src/context.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'
import { issuer, trusting } from '../support/world.ts'

class OfAClass {
  readonly #of: Identity
  readonly #kind: Identity['kind']
  constructor(of: Identity, kind: Identity['kind']) {
    this.#of = of
    this.#kind = kind
  }
  get kind() {
    return this.#kind
  }
  get issuer() {
    return this.#of.issuer
  }
  get subject() {
    return this.#of.subject
  }
  get audience() {
    return this.#of.audience
  }
  get email() {
    return this.#of.email
  }
  get emailVerified() {
    return this.#of.emailVerified
  }
  get name() {
    return this.#of.name
  }
  get scopes() {
    return this.#of.scopes
  }
  get actor() {
    return this.#of.actor
  }
  get tokenId() {
    return this.#of.tokenId
  }
  get expiresAt() {
    return this.#of.expiresAt
  }
  get claims() {
    return this.#of.claims
  }
}

const MAKERS: Readonly<Record<string, (of: Identity, kind: Identity['kind']) => Identity>> = {
  'of a class': (of, kind) => new OfAClass(of, kind),
  'that inherits': (of, kind) => Object.create({ ...of, kind }) as Identity,
  'that inherits all but its own e-mail': (of, kind) =>
    Object.assign(Object.create({ ...of, kind }) as Identity, { email: of.email }),
}

it.each(Object.keys(MAKERS))('an identity %s is whose it says, and of the kind it says', async (how) => {
  let kind: Identity['kind'] = 'person'
  const ours = trusting(issuer)
  const verifier: Verifier = {
    verify: async (token) => (MAKERS[how] as (typeof MAKERS)[string])(await ours.verify(token), kind),
  }
  const { org, person, authenticate, decisions } = createWorld({ auth: () => ({ verifier }) })
  const { id, headers } = await person('ada', { [await org('acme')]: 'member' })
  expect(await authenticate({ headers })).toMatchObject({
    user: { id },
    identity: { kind: 'person', issuer: issuer.issuer, subject: 'ada', email: 'ada@example.test' },
  })
  kind = 'machine'
  for (const needs of ['identity', 'user', 'org'] as const) {
    expect(await reasonOf(authenticate({ headers }, { needs }))).toBe('token_of_a_machine')
  }
  expect(decisions.map(({ outcome }) => outcome)).toEqual(['allowed', 'refused', 'refused', 'refused'])
})

it('an API key that inherits is the key it says, in its organization', async () => {
  const world = createWorld({
    auth: () => ({
      apiKeys: { prefix: 'tk', verify: async () => Object.create(key) as ApiKey },
    }),
  })
  const key: ApiKey = {
    id: 'key',
    name: 'test',
    role: 'member',
    permissions: ['things:read'],
    orgId: await world.org('a'),
  }
  const headers = { authorization: 'Bearer tk_0' }
  expect(await world.authenticate({ headers }, { accept: ['apiKey'] })).toMatchObject({ key, org: { id: key.orgId } })
})
