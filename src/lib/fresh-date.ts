/** A date in a frozen object that many share: a Date can't be frozen, so each look makes one. */

interface Dated {
  readonly [instant: symbol]: number
}

interface FreshDate {
  readonly instant: symbol
  readonly look: PropertyDescriptor
}

// By name: objects that have the same getter have one shape, and are small.
const FRESH_DATES: Map<string, FreshDate> = /* @__PURE__ */ new Map()

function freshDateOf(name: string): FreshDate {
  const known = FRESH_DATES.get(name)
  if (known !== undefined) return known
  const instant = Symbol(name)
  const look = {
    enumerable: true,
    // `this` may be an heir, or a proxy.
    get(this: Dated): Date {
      return new Date(this[instant] as number)
    },
  }
  FRESH_DATES.set(name, { instant, look })
  return { instant, look }
}

/** Put an instant (milliseconds since 1970) on an object: whoever looks at this member gets a Date of their own. */
export function withFreshDate<T extends object, N extends string>(
  object: T,
  name: N,
  milliseconds: number,
): T & { readonly [K in N]: Date } {
  const { instant, look } = freshDateOf(name)
  Object.defineProperty(object, instant, { value: milliseconds })
  return Object.defineProperty(object, name, look) as T & { readonly [K in N]: Date }
}
