/**
 * One line of the tour, as data: a request and the answer the contract promises; or something done to the world, and what
 * it should show. Texts may hold `{name}`: what an earlier step kept under that name.
 */
import type { World } from './world.ts'

/** A request and its answer. */
export interface RequestStep {
  /** The system asked. */
  readonly at: string
  /** Method and path. */
  readonly send: string
  /** Whose token to bring. */
  readonly as?: string
  /** Further header lines, raw: a name may repeat. */
  readonly lines?: readonly (readonly [name: string, value: string])[]
  /** A JSON body. */
  readonly json?: unknown
  /** A body that is not meant to be JSON; its type goes into `lines`. */
  readonly text?: string
  /** How many of these at once; all must be answered alike. */
  readonly times?: number
  /** The status of the answer, … */
  readonly ok?: number
  /** … the other status that exactly one of `times` answers has, … */
  readonly once?: number
  /** … its body: `*` is any text that is not empty, … */
  readonly body?: unknown
  /** … and headers it has, or (`null`) has not. Or: */
  readonly headers?: Readonly<Record<string, string | null>>
  /** The code of the refusal; `code:detail` for a field, a missing scope or `absent` credentials. */
  readonly no?: string
  /** It is a problem document. */
  readonly problem?: true
  /** What to remember of the body: names and where they are in it. */
  readonly keep?: Readonly<Record<string, string>>
}

/** Something done, and what it shows. */
export interface DeedStep {
  readonly at: string
  readonly does: string
  readonly shows: string
  readonly act: (world: World) => Promise<string>
}

/** A line of the tour. */
export type Step = RequestStep | DeedStep

/** A chapter: what the contract says, and the steps that show it. */
export interface Chapter {
  readonly title: string
  readonly steps: readonly Step[]
}

/** How a step went. */
export interface Outcome {
  readonly asked: string
  readonly expected: string
  readonly got: string
  readonly ok: boolean
}
