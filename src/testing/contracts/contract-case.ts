/**
 * What a contract suite is: cases as data that any test runner can loop over, each with a storage of its own. Hands on
 * the types, and the function that turns the suites' specifications into runnable cases.
 */
import * as z from 'zod/mini'
import { aName, aNumber, type Complete, parseOptions } from '../../lib/parse-options.ts'
import { createWorld, type StorageUnderTest, type World } from './contract-world.ts'
import { show } from './expectations.ts'

/**
 * Make the storage for one case. Fresh and empty, or one shared database: cases use random identities and addresses,
 * look only at what they wrote, and may run at the same time.
 */
export type MakeStorage = () => Promise<StorageUnderTest> | StorageUnderTest

/** What a storage may be unable to do; cases that need it are left out, and listed by {@link leftOutOfContract}. */
export type StorageAbility = 'disableUser' | 'deleteOrg'

/** Options of the contract suites. */
export interface ContractOptions {
  /**
   * `many` (default): a user may belong to any number of organizations. `one`: the membership is a part of the user's
   * row, so a second one is a `ConflictError`.
   */
  readonly membershipsPerUser?: 'many' | 'one' | undefined
  /** The only role names the storage can hold (a database enum), at least two. Default: any string, as the port says. */
  readonly roles?: readonly string[] | undefined
  /** What users and organizations of this storage can't be. Default `[]`: then `probe` must offer both. */
  readonly without?: readonly StorageAbility[] | undefined
  /** Seconds after which a case fails as hung, 1 to 600. Default 10. */
  readonly timeoutSeconds?: number | undefined
}

/** One promise of the ports, as a test. */
export interface ContractCase {
  /** `suite/what`: stable, to be named in reports and in lists of known failures. */
  readonly id: string
  /** The promise, as a sentence with MUST. */
  readonly name: string
  /** The requirement it follows, where there is one. */
  readonly requirement?: string | undefined
  /** Make a storage, try it, close it. Rejects with an `Error` that says what was expected and what came. */
  run(): Promise<void>
}

/** What a case depends on: how many memberships a user may have, or a probe. */
type CaseNeed = 'many' | 'one' | StorageAbility

/** A case as the suites write it. */
export interface CaseSpec {
  readonly id: string
  readonly name: string
  readonly requirement?: string | undefined
  readonly needs?: readonly CaseNeed[] | undefined
  test(world: World): Promise<void>
}

/** The options with their defaults. */
interface ParsedContractOptions extends Complete<ContractOptions> {}

const SHAPE = {
  membershipsPerUser: z._default(z.enum(['many', 'one']), 'many'),
  roles: z._default(z.array(aName()).check(z.refine((roles) => roles.length !== 1, 'must name two roles')), []),
  without: z._default(z.array(z.enum(['disableUser', 'deleteOrg'])), []),
  timeoutSeconds: z._default(aNumber(1, 600), 10),
}

/** Turn specifications into cases: those that apply by the options, in order. */
export function casesOf(
  name: string,
  specs: readonly CaseSpec[],
  make: MakeStorage,
  options: ContractOptions = {},
): readonly ContractCase[] {
  if (typeof make !== 'function') throw new TypeError(`${name}: make must be a function`)
  const parsed: ParsedContractOptions = parseOptions(name, SHAPE, options)
  return specs.filter((spec) => lacking(spec, parsed) === undefined).map((spec) => caseOf(spec, make, parsed))
}

/** Name the cases of `specs` that the options leave out, and why. */
export function leftOutOf(
  name: string,
  specs: readonly CaseSpec[],
  options: ContractOptions,
): readonly { readonly id: string; readonly why: string }[] {
  const parsed: ParsedContractOptions = parseOptions(name, SHAPE, options)
  return specs.flatMap((spec) => {
    const need = lacking(spec, parsed)
    return need === undefined ? [] : [{ id: spec.id, why: WHY[need] }]
  })
}

const WHY: Readonly<Record<CaseNeed, string>> = {
  many: 'needs a user with several memberships',
  one: 'holds only where a user has at most one membership',
  disableUser: 'needs users that can be disabled',
  deleteOrg: 'needs organizations that can be deleted',
}

function lacking(
  { needs = [] }: CaseSpec,
  { membershipsPerUser, without }: ParsedContractOptions,
): CaseNeed | undefined {
  return needs.find((need) =>
    need === 'many' || need === 'one' ? need !== membershipsPerUser : (without as readonly string[]).includes(need),
  )
}

function caseOf({ test, ...named }: CaseSpec, make: MakeStorage, options: ParsedContractOptions): ContractCase {
  return runnable(named, options.timeoutSeconds, make, (made) => test(createWorld(made, options.roles)))
}

/** Make a case of what is tested, however it is made: make it, test it in time, let go of it. */
export function runnable<M extends Pick<StorageUnderTest, 'close'>>(
  { id, name, requirement }: Pick<ContractCase, 'id' | 'name' | 'requirement'>,
  timeoutSeconds: number,
  make: () => Promise<M> | M,
  test: (made: M) => Promise<void>,
): ContractCase {
  return {
    id,
    name,
    ...(requirement === undefined ? {} : { requirement }),
    async run() {
      const made = await make()
      try {
        await within(timeoutSeconds, test(made))
      } catch (error) {
        // The case's own failure is the one to show.
        await Promise.allSettled([made.close?.()])
        throw asFailure(error)
      }
      await made.close?.()
    },
  }
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
