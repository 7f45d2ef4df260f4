/** Something of ours beside a request, found by that very object alone: not by a copy, a wrapper or an heir of it. */
import { type Beside, createBeside } from '../lib/beside.ts'

/** What an auth has decided of a request: whoever reads the body has it decided once more, and throws what that throws. */
export interface Authenticated {
  recheck(): Promise<void>
}

// Not frozen: V8 goes through frozen lists step by step.
const NONE: readonly never[] = []

/** All that is kept beside one request. */
export class Kept {
  /** What auths have decided of it. */
  authenticated: readonly Authenticated[] = NONE
  /** How long its body may take, for whoever reads it and says nothing else. */
  bodySeconds: number | undefined = undefined
  /** Of a message of Node's: the request of Fetch that was made of it. Of one of Fetch: whether it was made of Node's. */
  served: object | null = null
  isServed: boolean | undefined = undefined
}

const KEPT: Beside<Kept> = /* @__PURE__ */ createBeside()

/** Find what is kept beside a request. */
export function findKept(source: object): Kept | undefined {
  return KEPT.get(source)
}

/** The same, made where there is nothing yet, to keep more. */
export function keptBeside(source: object): Kept {
  const known = KEPT.get(source)
  if (known !== undefined) return known
  const kept = new Kept()
  KEPT.set(source, kept)
  return kept
}
