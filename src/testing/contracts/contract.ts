/**
 * What a contract suite is: the promises of a port as cases that any test runner can loop over, each with a storage of
 * its own.
 */
import {
  aFilledListOf,
  aFunction,
  aListOf,
  aName,
  aNumber,
  oneOf,
  optional,
  optionsError,
  parseOptions,
} from '../../lib/parse-options.ts'
import { show } from './expectations.ts'

/** What a storage may have no such thing as; cases that need it are left out, and named by `leftOut`. */
export type Ability =
  | 'userAdmin'
  | 'organizationAdmin'
  | 'membershipAdmin'
  | 'invitations'
  | 'apiKeys'
  | 'setEmail'
  | 'givenOrgIds'
  | 'disableUser'
  | 'deleteOrg'
  | 'unboundKeys'
  | 'machines'
  | 'unboundMachines'
  | 'freshAccounts'
  | 'deadlock'

const WITHOUT: Readonly<Record<Ability, string>> = {
  userAdmin: 'needs a `UserAdmin`: users to disable, to give another identity, to anonymize',
  organizationAdmin: 'needs an `OrganizationAdmin`: organizations to hold, to rename, to remove',
  membershipAdmin: 'needs a `MembershipAdmin`: members to find, to list, to change',
  invitations: 'needs an `InvitationRepository`',
  apiKeys: 'needs API keys in the transactions of the storage',
  setEmail: 'needs users whose e-mail can be refreshed',
  givenOrgIds: 'needs organizations whose id the host gives',
  disableUser: 'needs users that can be disabled, by the port or by the probe',
  deleteOrg: 'needs organizations that can be deleted, by the port or by the probe',
  unboundKeys: 'needs API keys that are bound to no organization',
  machines: 'needs machines as callers',
  unboundMachines: 'needs machines that are bound to no organization',
  freshAccounts: 'needs accounts that nobody has claimed the first admin of',
  deadlock: 'needs transactions that can run into each other',
}

/** What a case asks of a storage. */
export type Need = Ability | 'many' | 'one' | 'twoIssuers' | 'anyIssuer'

const WHY: Readonly<Record<Need, string>> = {
  ...WITHOUT,
  many: 'needs a user with several memberships',
  one: 'holds only where a user has at most one membership',
  twoIssuers: 'needs identities of two issuers',
  anyIssuer: 'needs identities of any issuer',
}

/** What a storage can hold and do; all suites take these options. */
export interface ContractOptions {
  /**
   * `many` (default): a user may belong to any number of organizations. `one`: the membership is a part of the user's
   * row, so a second one is a `ConflictError`.
   */
  readonly membershipsPerUser?: 'many' | 'one' | undefined
  /** The only role names the storage can hold (a database enum), at least two. Default: any string, as the port says. */
  readonly roles?: readonly string[] | undefined
  /** The only issuers whose identities the storage holds, at least one. Default: any, as the port says. */
  readonly issuers?: readonly string[] | undefined
  /** An id in the form of this storage's own that no row has. Default: a random UUID. */
  readonly newId?: (() => string) | undefined
  /**
   * An id for a new organization, where they are the host's to give: every one that a case inserts has such an id. Default:
   * the storage makes them.
   */
  readonly newOrgId?: (() => string) | undefined
  /** What the storage has no such thing as. Default: nothing of it. */
  readonly without?: readonly Ability[] | undefined
  /** Seconds after which a case fails as hung, 1 to 600. Default 10. */
  readonly timeoutSeconds?: number | undefined
}

/** Options of {@link runContract}: those of the suite, and how it is run. */
export interface RunContractOptions extends ContractOptions {
  /** How many cases run at once. Default 1. */
  readonly concurrency?: number | undefined
}

/** The options, read; issuers of `null`: any. */
export type ParsedContractOptions = {
  readonly [K in keyof ContractOptions]-?:
    | NonNullable<ContractOptions[K]>
    | (K extends 'issuers' | 'newOrgId' ? null : never)
}

/** One promise of a port, as a test. */
export interface ContractCase {
  /** `suite/what`: stable, to be named in reports and in lists of known failures. */
  readonly id: string
  /** The promise, as a sentence with MUST. */
  readonly name: string
  /** Make a storage, try it, close it. Rejects with an `Error` that says what was expected and what came. */
  run(): Promise<void>
}

/** The promises of a port; `Made` is what they are tried on. */
export interface Contract<Made> {
  /**
   * The cases that apply by the options.
   *
   * @param make makes what one case is tried on: fresh and empty, or a shared database (cases use random identities and
   * addresses, look only at what they wrote, and may run at the same time)
   * @throws OptionsError for an unknown option
   */
  cases(make: () => Promise<Made> | Made, options?: ContractOptions): readonly ContractCase[]
  /** The cases that these options leave out, and why: what a green run did not prove. */
  leftOut(options?: ContractOptions): readonly { readonly id: string; readonly why: string }[]
}

/** Let go of what `make` took. Called once, however the case ended. */
export interface Closable {
  close?(): Promise<unknown> | unknown
}

interface Case<World> {
  readonly id: string
  readonly must: string
  readonly needs: readonly Need[]
  readonly run: (world: World) => Promise<void>
  /** The same case, which needs this too. */
  needing(need: Need): Case<World>
}

/** Cases as the suites write them; `World` is what a case finds around it. */
export type Cases<World> = readonly Case<World>[]

/** A case: its id, what a port must do, and how that is tried. Named as the formatter knows tests: the title stays on its line. */
export function test<World>(
  title: `${string}: ${string}`,
  run: Case<World>['run'],
  needs: readonly Need[] = [],
): Case<World> {
  const [id = ''] = title.split(': ', 1)
  return { id, must: title.slice(id.length + 2), needs, run, needing: (need) => test(title, run, [need, ...needs]) }
}

/** Cases of which each needs this, too. */
export function needing<World>(need: Need, cases: Cases<World>): Cases<World> {
  return cases.map((each) => each.needing(need))
}

/** Make a suite of cases. */
export function createContract<Made extends Closable, World>(
  name: string,
  cases: Cases<World>,
  worldOf: (made: Made, options: ParsedContractOptions, needs: readonly Need[]) => World,
): Contract<Made> {
  return Object.freeze({
    cases(make: () => Promise<Made> | Made, options: ContractOptions = {}) {
      if (typeof make !== 'function') throw new TypeError(`${name}: make must be a function`)
      const parsed = parse(name, options)
      const applying = cases.filter(({ needs }) => lacking(needs, parsed) === undefined)
      return applying.map(({ id, must, needs, run }): ContractCase => {
        const tryOn = (made: Made): Promise<void> => within(parsed.timeoutSeconds, run(worldOf(made, parsed, needs)))
        return { id, name: `MUST ${must}`, run: () => runCase(make, tryOn) }
      })
    },
    leftOut(options: ContractOptions = {}) {
      const parsed = parse(name, options)
      return cases.flatMap(({ id, needs }) => {
        const need = lacking(needs, parsed)
        return need === undefined ? [] : [{ id, why: WHY[need] }]
      })
    },
  })
}

/**
 * Run a suite without a test runner. Never rejects for a failed case.
 *
 * @param contract the suite: {@link Contract}
 * @param make makes what is tested, anew for each case
 * @param options those of the suite, and how many cases run at once; default 1
 * @returns one result for each case, in their order; `error` is `null` where it has passed
 * @throws OptionsError for an unknown option
 * @example
 * const results = await runContract(storageContract, () => ({ storage: myStorage() }), { without: ['deleteOrg'] })
 * console.log(results.filter(({ error }) => error !== null))
 */
export async function runContract<Made>(
  contract: Contract<Made>,
  make: () => Promise<Made> | Made,
  { concurrency = 1, ...options }: RunContractOptions = {},
): Promise<readonly { readonly id: string; readonly name: string; readonly error: Error | null }[]> {
  const results: { readonly id: string; readonly name: string; readonly error: Error | null }[] = []
  const waiting = [...contract.cases(make, options).entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { id, name, run }] = next
      const error = await run().then(() => null, toError)
      results[index] = { id, name, error }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work))
  return results
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}

const SHAPE = {
  membershipsPerUser: optional(oneOf('many', 'one')),
  roles: optional(aListOf(aName())),
  issuers: optional(aFilledListOf(aName())),
  newId: optional(aFunction<() => string>()),
  newOrgId: optional(aFunction<() => string>()),
  without: optional(aListOf(oneOf(...(Object.keys(WITHOUT) as Ability[])))),
  timeoutSeconds: optional(aNumber(1, 600)),
}

function parse(name: string, options: ContractOptions): ParsedContractOptions {
  const { membershipsPerUser = 'many', roles = [], issuers = null, ...parsed } = parseOptions(name, SHAPE, options)
  if (roles.length === 1) throw optionsError(name, 'roles', 'must name two roles')
  const { newId = () => crypto.randomUUID(), newOrgId = null, without = [], timeoutSeconds = 10 } = parsed
  return { membershipsPerUser, roles, issuers, newId, newOrgId, without, timeoutSeconds }
}

function lacking(needs: readonly Need[], options: ParsedContractOptions): Need | undefined {
  const { membershipsPerUser, issuers, without } = options
  return needs.find((need) => {
    if (need === 'many' || need === 'one') return need !== membershipsPerUser
    if (need === 'anyIssuer') return issuers !== null
    if (need === 'twoIssuers') return issuers !== null && issuers.length < 2
    return without.includes(need)
  })
}

async function runCase<Made extends Closable>(
  make: () => Promise<Made> | Made,
  tryOn: (made: Made) => Promise<void>,
): Promise<void> {
  const made = await make()
  try {
    await tryOn(made)
  } catch (error) {
    // The case's own failure is the one to show.
    await Promise.allSettled([made.close?.()])
    throw asFailure(error)
  }
  await made.close?.()
}

// What the storage threw where nothing was to be thrown is told as a sentence too.
function asFailure(error: unknown): Error {
  if (error instanceof Error && error.message.startsWith('expected ')) return error
  return new Error(`expected no call of this case to be rejected, got ${show(error)}`, { cause: error })
}

async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const hung = new Promise<never>((_, reject) => {
    const sentence = `expected the case to end within ${seconds} seconds, got a storage that still waits`
    timer = setTimeout(() => reject(new Error(sentence)), seconds * 1000)
  })
  try {
    await Promise.race([work, hung])
  } finally {
    clearTimeout(timer)
  }
}
