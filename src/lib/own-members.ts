/** What an object says itself: the parts of a call that may be left out must not be looked up in `Object.prototype`. */

/**
 * Copy the own members of an object into one without a prototype: where other code of the process has written into
 * `Object.prototype`, a part that was left out stays left out. Costs one pass over the members.
 *
 * @example
 * const { source = message } = ownMembers(extras)
 */
export function ownMembers<T extends object>(given: T): T {
  return Object.assign(Object.create(null) as T, given)
}
