/**
 * Something of ours beside a request, found by that very object alone: not by a copy, a wrapper or an heir of it. Express changes
 * the prototype of each of Node's messages, whereupon a field that is put on one makes a hidden class of its own, and each look at
 * one of its members is a slow one: there it is kept on what a message is made of, and found by the first part that has it.
 */
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
  readonly source: object

  constructor(source: object) {
    this.source = source
  }
}

const KEPT: Beside<Kept> = /* @__PURE__ */ createBeside()

/** Find what is kept beside a request. */
export function findKept(source: object): Kept | undefined {
  // One that was given the prototype again that it was made with is found on its parts.
  return isAsMade(source) ? (KEPT.get(source) ?? findOnParts(source)) : (findOnParts(source) ?? KEPT.get(source))
}

/** The same, made where there is nothing yet, to keep more. */
export function keptBeside(source: object): Kept {
  const known = findKept(source)
  if (known !== undefined) return known
  if (!isAsMade(source)) return keepOnParts(source)
  const kept = new Kept(source)
  KEPT.set(source, kept)
  return kept
}

function findOnParts(source: object): Kept | undefined {
  const { rawHeaders } = source as MessageParts
  const kept = keptOn(rawHeaders, source)
  if (kept !== undefined) return kept
  const { rawTrailers, _readableState: stream } = source as MessageParts
  return keptOn(rawTrailers, source) ?? keptOn(stream, source)
}

// On more than one part, since a middleware may replace one (the stream that it decompresses), hardly all of them.
function keepOnParts(source: object): Kept {
  const kept = new Kept(source)
  const { rawHeaders, rawTrailers, _readableState: stream } = source as MessageParts
  let isKept = true
  for (const part of [rawHeaders, rawTrailers, stream]) {
    // Of a list that a platform gives to all its messages, and of what a wrapper shares with its message, the first one has it.
    if (typeof part !== 'object' || part === null || KEPT.get(part) !== undefined) isKept = false
    else KEPT.set(part, kept)
  }
  if (!isKept) KEPT.set(source, kept)
  return kept
}

function keptOn(part: unknown, source: object): Kept | undefined {
  const kept = typeof part === 'object' && part !== null ? KEPT.get(part) : undefined
  return kept?.source === source ? kept : undefined
}

interface MessageParts {
  readonly rawHeaders?: unknown
  readonly rawTrailers?: unknown
  readonly _readableState?: unknown
}

const AS_MADE: WeakMap<object, boolean> = /* @__PURE__ */ new WeakMap()
// The last such one that was new: that of nearly all.
let usual: object | undefined

// Whether an object has the prototype that it was made with: asked once of each prototype.
function isAsMade(source: object): boolean {
  const prototype = Object.getPrototypeOf(source) as object | null
  if (prototype === null || prototype === usual) return true
  const known = AS_MADE.get(prototype)
  if (known !== undefined) return known
  const isMade = prototype.constructor?.prototype === prototype
  if (isMade) usual = prototype
  AS_MADE.set(prototype, isMade)
  return isMade
}
