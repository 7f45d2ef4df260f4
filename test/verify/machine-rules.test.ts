// S5: written rules that name machines: which tokens each is for, and what may stand in one.
import { describe, expect, it } from 'vitest'
import type { WrittenMachine } from '../../src/context.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createIssuerLookUp } from '../../src/verify/issuer-look-up.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import type { MachineRule } from '../../src/verify/machine-rules.ts'

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const verifierOf = (machines: readonly MachineRule[], more: Partial<IssuerOptions> = {}) => {
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const trusted = { issuer: issuer.issuer, keys, audience: null, machine: () => true }
  return createJwtVerifier({ issuers: [{ ...trusted, ...more, machines }] })
}

async function named(when: MachineRule['when'], claims: object): Promise<boolean> {
  const { machine } = await verifierOf([{ name: 'deploy', when }]).verify(await issuer.sign(claims as never))
  return machine?.name === 'deploy'
}

describe('a rule is for a token', () => {
  const REPO = { repository_id: '1234', environment: 'production' }

  it.each<[string, MachineRule['when'], object, boolean]>([
    ['that says all of it', REPO, { ...REPO, ref: 'refs/heads/main' }, true],
    ['that says one thing otherwise', REPO, { ...REPO, environment: 'staging' }, false],
    ['that does not say one', REPO, { repository_id: '1234' }, false],
    ['in another case', REPO, { ...REPO, environment: 'Production' }, false],
    ['with a blank behind it', REPO, { ...REPO, environment: 'production ' }, false],
    ['with more behind it', REPO, { ...REPO, environment: 'production-2' }, false],
    ['by a number for a text', REPO, { ...REPO, repository_id: 1234 }, false],
    ['by a list for a text', REPO, { ...REPO, repository_id: ['1234'] }, false],
    ['by an object for a text', REPO, { ...REPO, repository_id: { id: '1234' } }, false],
    ['by one of several', { event: ['push', 'schedule'] }, { event: 'schedule' }, true],
    ['by none of several', { event: ['push', 'schedule'] }, { event: 'pull_request' }, false],
    ['by several for one of several', { event: ['push', 'schedule'] }, { event: ['push', 'schedule'] }, false],
    ['by nothing for one of several', { event: ['push'] }, {}, false],
    ['by a text for a number', { run: 7 }, { run: '7' }, false],
    ['by a number', { run: 7 }, { run: 7 }, true],
    ['by true', { ok: true }, { ok: true }, true],
    ['by a text for true', { ok: true }, { ok: 'true' }, false],
    [
      'that says it within',
      { k8s: { sa: { name: 'worker' } } },
      { k8s: { ns: 'x', sa: { name: 'worker', uid: 1 } } },
      true,
    ],
    [
      'that says it outside',
      { k8s: { sa: { name: 'worker' } } },
      { k8s: {}, sa: { name: 'worker' }, name: 'worker' },
      false,
    ],
    ['that says it in a list', { k8s: { name: 'worker' } }, { k8s: [{ name: 'worker' }] }, false],
    [
      'that has a dot in a claim’s name',
      { 'kubernetes.io': { namespace: 'prod' } },
      { 'kubernetes.io': { namespace: 'prod' } },
      true,
    ],
    ['by what every object has', { constructor: 'x' }, {}, false],
    ['by a function', ({ repository_id }) => repository_id === '1234', REPO, true],
    ['by a function that says no', () => false, REPO, false],
  ])('%s', async (_what, when, claims, is) => {
    expect(await named(when, claims)).toBe(is)
  })

  it('the first that fits, of machines alone', async () => {
    const rules: readonly MachineRule[] = [
      { name: 'one', when: { a: 1, b: 2 } },
      { name: 'two', when: { a: 1 }, orgId: null, role: 'member', permissions: ['x', 'y'] },
      { name: 'three', when: () => true, orgId: 'acme' },
    ]
    const verify = async (claims: object, more: Partial<IssuerOptions> = {}) =>
      (await verifierOf(rules, more).verify(await issuer.sign(claims as never))).machine
    expect((await verify({ a: 1, b: 2 }))?.name).toBe('one')
    const two: WrittenMachine = { name: 'two', orgId: null, role: 'member', permissions: ['x', 'y'] }
    expect(await verify({ a: 1 })).toEqual(two)
    expect(await verify({})).toEqual({ name: 'three', orgId: 'acme', role: null, permissions: null })
    expect(await verify({ a: 1 }, { machine: () => false })).toBeNull()
    const frozen = await verify({ a: 1 })
    expect([Object.isFrozen(frozen), Object.isFrozen(frozen?.permissions)]).toEqual([true, true])
  })

  it('whatever becomes of the object it was written as', async () => {
    const when: Record<string, string> = { repo: '1' }
    const permissions = ['x']
    const verifier = verifierOf([{ name: 'deploy', when, permissions }])
    Object.assign(when, { repo: '2' })
    permissions.push('y')
    expect((await verifier.verify(await issuer.sign({ repo: '1' }))).machine?.permissions).toEqual(['x'])
    expect((await verifier.verify(await issuer.sign({ repo: '2' }))).machine).toBeNull()
  })

  it.each([undefined, null, 1, 'true', {}])('by a function that answers %j: a fault of the host', async (answer) => {
    await expect(named((() => answer) as never, {})).rejects.toThrow(
      'createJwtVerifier: option "machines" must answer true or false',
    )
  })
})

describe('a rule', () => {
  it.each<[string, object, string]>([
    ['without a name', { when: { a: 1 } }, 'name'],
    ['with a name that is none', { name: 'a b', when: { a: 1 } }, 'must be 1 to 64 letters, digits and ._-'],
    ['with a name of a kind', { name: 'machine:x', when: { a: 1 } }, 'must be 1 to 64 letters, digits and ._-'],
    ['for every token', { name: 'm' }, 'when'],
    ['for no claim', { name: 'm', when: {} }, 'when'],
    ['with a wildcard', { name: 'm', when: { sub: 'repo:acme/*' } }, 'there are no wildcards'],
    ['with a wildcard within', { name: 'm', when: { a: { b: '*' } } }, 'there are no wildcards'],
    ['with a blank value', { name: 'm', when: { a: '' } }, 'exact value'],
    ['with a blank around a value', { name: 'm', when: { a: 'x ' } }, 'exact value'],
    ['with nothing for a value', { name: 'm', when: { a: undefined } }, 'exact value'],
    ['with null for a value', { name: 'm', when: { a: null } }, 'exact value'],
    ['with no number', { name: 'm', when: { a: Number.NaN } }, 'exact value'],
    ['with an empty list of values', { name: 'm', when: { a: [] } }, 'exact value'],
    ['with a wildcard in a list', { name: 'm', when: { a: ['x', 'y*'] } }, 'there are no wildcards'],
    ['with a list in a list', { name: 'm', when: { a: [['x']] } }, 'exact value'],
    ['with a pattern', { name: 'm', when: { a: /x/ } }, 'exact value'],
    ['with an empty object within', { name: 'm', when: { a: {} } }, 'exact value'],
    ['with a list for claims', { name: 'm', when: ['a'] }, 'exact value'],
    ['with a blank organization', { name: 'm', when: { a: 1 }, orgId: '' }, 'orgId'],
    ['with a blank role', { name: 'm', when: { a: 1 }, role: ' ' }, 'role'],
    ['with a permission that is no scope', { name: 'm', when: { a: 1 }, permissions: ['a b'] }, 'permissions'],
    ['with a misspelt option', { name: 'm', when: { a: 1 }, permission: ['a'] }, 'permission'],
  ])('is refused %s', (_what, rule, sentence) => {
    const make = (): unknown => verifierOf([rule as MachineRule])
    expect(make).toThrow(TypeError)
    expect(make).toThrow(/issuers\.0\.machines\.0/)
    expect(make).toThrow(sentence)
  })

  it('is refused with the name of another', () => {
    const rule = { name: 'm', when: { a: 1 } }
    expect(() => verifierOf([rule, { ...rule, when: { a: 2 } }])).toThrow('has two machines of one name')
  })
})

describe('a verifier says which machines its rules name', () => {
  it('all of them, none, or that it cannot know', () => {
    expect(verifierOf([{ name: 'm', when: { a: 1 } }]).machines).toEqual([
      { name: 'm', orgId: undefined, role: null, permissions: null },
    ])
    expect(verifierOf([])).toMatchObject({ machines: [], namesOtherMachines: false })
    const lookUp = createIssuerLookUp({ mayBe: () => true, find: async () => null })
    expect(createJwtVerifier({ issuers: [], lookUp })).toMatchObject({ machines: [], namesOtherMachines: true })
  })

  it('of an issuer that is looked up, too', async () => {
    const keys = [{ kind: 'secret', secret: issuer.secret }] as const
    const machines = [{ name: 'agent', when: () => true, orgId: 'acme', role: 'member' }]
    const find = async (iss: string) => ({ issuer: iss, keys, audience: null, machine: () => true, machines })
    const lookUp = createIssuerLookUp({ mayBe: () => true, find })
    const { machine } = await createJwtVerifier({ issuers: [], lookUp }).verify(await issuer.sign())
    expect(machine).toEqual({ name: 'agent', orgId: 'acme', role: 'member', permissions: null })
  })
})
