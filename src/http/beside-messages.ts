/**
 * Something of ours beside a request, found by that very object alone: not by a copy, a wrapper or an heir of it. Express changes
 * the prototype of each of Node's messages, whereupon a field that is put on one makes a hidden class of its own, which costs a
 * tenth of the request: there it is kept on what a message is made of, which takes a field as everything else does.
 */
import { type Beside, createBeside } from '../lib/beside.ts'

/** What is kept says beside which request. */
export interface BesideRequest {
  readonly source: object
}

/** What is kept beside requests, in the order in which it came. */
export interface BesideMessages<T extends BesideRequest> {
  of(source: object): readonly T[]
  add(item: T): void
}

/** Create a place beside requests, for one kind of thing. */
export function createBesideMessages<T extends BesideRequest>(): BesideMessages<T> {
  const kept: Beside<readonly T[]> = createBeside()
  const put = (place: object, item: T): void => {
    const known = kept.get(place)
    kept.set(place, known === undefined ? [item] : [...known, item])
  }
  // A platform may give all its messages the same empty list: what was kept there would stay for ever.
  const isOfFew = (part: object): boolean => new Set(kept.get(part)?.map(({ source }) => source)).size <= MOST_MESSAGES
  return {
    of(source) {
      const parts = partsOf(source)
      if (parts.length === 0) return kept.get(source) ?? NONE
      const items = [...parts, source].flatMap((place) => kept.get(place) ?? NONE)
      return [...new Set(items.filter((item) => item.source === source))]
    },
    add(item) {
      const { source } = item
      const parts = partsOf(source)
      const own = parts.length === 0 ? NONE : parts.filter(isOfFew)
      if (own.length === 0) put(source, item)
      else for (const part of new Set(own)) put(part, item)
    },
  }
}

const NONE: readonly never[] = Object.freeze([])
const MOST_MESSAGES = 8

// Of a message with another prototype than Node's. More than one, since a middleware may replace a part (the stream that it
// decompresses), hardly all of them.
function partsOf(source: object): readonly object[] {
  if (Object.getPrototypeOf(source) === source.constructor?.prototype) return NONE
  const { rawHeaders, rawTrailers, _readableState: stream } = source as MessageParts
  const isMessage = Array.isArray(rawHeaders) && Array.isArray(rawTrailers) && typeof stream === 'object'
  return isMessage && stream !== null ? [rawHeaders, rawTrailers, stream] : NONE
}

interface MessageParts {
  readonly rawHeaders?: unknown
  readonly rawTrailers?: unknown
  readonly _readableState?: unknown
}
