/** Who may give which role, and take it: on a ladder, of sets, made at run time, by a credential with a bound (M1). */
import { describe, expect, it } from 'vitest'
import { canGrant, canTake, type GrantableRoles, withoutCustom } from '../../src/permissions/grants.ts'
import { createRoles } from '../../src/permissions/roles.ts'

const LADDER = createRoles(['viewer', 'member', 'admin'], { 'things:read': 'viewer', 'things:write': 'member' })
const SETS = createRoles(
  { support: ['tickets:read', 'tickets:write'], billing: ['invoices:read'], admin: ['support', 'users:write'] },
  { permissions: ['reports:read'] },
)
const CUSTOM: Readonly<Record<string, readonly string[]>> = {
  reader: ['tickets:read'],
  everything: ['tickets:read', 'tickets:write', 'invoices:read', 'users:write', 'reports:read'],
  reporter: ['reports:read'],
  nothing: [],
}
const known: GrantableRoles = {
  roles: SETS,
  find: (role) => withoutCustom(SETS).find(role) ?? (Object.hasOwn(CUSTOM, role) ? (CUSTOM[role] as string[]) : null),
}

interface Case {
  readonly roles?: GrantableRoles
  readonly own: string | null
  readonly bound?: readonly string[]
  readonly role: string
  readonly carried?: readonly string[]
  readonly may: boolean
}

const CASES: readonly Case[] = [
  // A ladder
  { roles: withoutCustom(LADDER), own: 'admin', role: 'admin', may: true },
  { roles: withoutCustom(LADDER), own: 'admin', role: 'viewer', may: true },
  { roles: withoutCustom(LADDER), own: 'member', role: 'admin', may: false },
  { roles: withoutCustom(LADDER), own: null, role: 'viewer', may: false },
  { roles: withoutCustom(LADDER), own: 'boss', role: 'viewer', may: false },
  { roles: withoutCustom(LADDER), own: 'admin', role: 'boss', may: false },
  { roles: withoutCustom(LADDER), own: 'boss', role: 'boss', may: false },
  { roles: withoutCustom(LADDER), own: 'admin', role: 'constructor', may: false },
  // Sets: neither includes the other
  { own: 'support', role: 'support', may: true },
  { own: 'support', role: 'billing', may: false },
  { own: 'admin', role: 'support', may: true },
  { own: 'admin', role: 'billing', may: false },
  // Made at run time
  { own: 'support', role: 'reader', may: true },
  { own: 'support', role: 'nothing', may: true },
  { own: 'admin', role: 'reporter', may: false },
  { own: 'reporter', role: 'reporter', may: true },
  { own: 'everything', role: 'reader', may: true },
  { own: 'everything', role: 'support', may: false },
  { own: 'everything', role: 'unknown', may: false },
  { own: 'unknown', role: 'nothing', may: false },
  // A credential with a bound carries what is given
  { own: 'admin', bound: ['tickets:read', 'tickets:write'], role: 'support', may: true },
  { own: 'admin', bound: ['tickets:read'], role: 'support', may: false },
  { own: 'admin', bound: ['tickets:read'], role: 'reader', may: true },
  { own: 'admin', bound: [], role: 'reader', may: false },
  { own: 'admin', bound: [], role: 'nothing', may: true },
  { own: 'admin', bound: ['tickets:read'], role: 'support', carried: ['tickets:read'], may: true },
  { own: 'admin', bound: ['tickets:read'], role: 'support', carried: ['tickets:write'], may: false },
  { own: 'support', bound: ['invoices:read'], role: 'billing', may: false },
]

describe('a role is given', () => {
  it.each(CASES)('$role by $own, whose credential carries $bound: $may', ({ roles = known, own, bound, ...given }) => {
    const granter = { role: own, bound: bound ?? null }
    expect(canGrant(roles, granter, given.role, given.carried)).toBe(given.may)
  })
})

describe('a role is taken', () => {
  it.each(CASES.filter(({ carried }) => carried === undefined))(
    '$role by $own, whose credential carries $bound, as it is given, unless it is none any more',
    ({ roles = known, own, bound, role, may }) => {
      expect(canTake(roles, { role: own, bound: bound ?? null }, role)).toBe(may || roles.find(role) === null)
    },
  )
})
