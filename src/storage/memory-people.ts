/** Users of the in-memory storage, and where they and other callers act: what every request asks. */
import type { ActingOrg, Caller, IdentityKey } from '../context.ts'
import { compare, put, putList, type Table } from './memory-tables.ts'
import type { Membership } from './repositories.ts'
import type { StoredOrganization, StoredUser } from './shipped-storage.ts'

/** The tables that say so. */
export interface PeopleTables {
  readonly users: Table<StoredUser>
  /** What requests ask, by subject: one issuer's may be another one's, too. */
  readonly peopleOfSubject: Table<readonly Person[]>
  readonly orgs: Table<StoredOrganization>
  /** In the order in which they began. */
  readonly membershipsOf: Table<readonly Membership[]>
}

type Acting = ActingOrg<StoredOrganization>

/** A user, and where they act who names nothing: kept ready, for it is asked on every request. */
export interface Person {
  readonly user: StoredUser
  readonly membership: Acting | null
}

/** Write a user, and hand the row out. */
export function putUser(tables: PeopleTables, record: StoredUser): StoredUser {
  const before = tables.users.get(record.id)
  const row = put(tables.users, record)
  if (before !== undefined && before.subject !== row.subject) {
    putList(tables.peopleOfSubject, before.subject, othersOf(tables, before))
  }
  makeReady(tables, row)
  return row
}

/** Keep ready what requests of a user ask: after each write of the user or of one of their memberships. */
export function makeReady(tables: PeopleTables, user: StoredUser): void {
  const [membership = null] = actingIn(tables).list({ kind: 'user', user }, 1)
  const person = Object.freeze({ user, membership })
  putList(tables.peopleOfSubject, user.subject, [...othersOf(tables, user), person])
}

/** Find the user of an identity, and where they act who names nothing. */
export function personOf(tables: PeopleTables, { issuer, subject }: IdentityKey): Person | undefined {
  return tables.peopleOfSubject.get(subject)?.find(({ user }) => user.issuer === issuer)
}

/** Where a person acts who names nothing. An organization may have ten thousand members, so none is written when it is renamed. */
export function asOfNow(tables: PeopleTables, person: Person): Person {
  const { user, membership } = person
  if (membership === null || tables.orgs.get(membership.org.id) === membership.org) return person
  return { user, membership: actingIn(tables).find({ kind: 'user', user }, membership.org.id) }
}

function othersOf({ peopleOfSubject }: PeopleTables, { id, subject }: StoredUser): readonly Person[] {
  return peopleOfSubject.get(subject)?.filter(({ user }) => user.id !== id) ?? []
}

interface Place {
  readonly orgId: string
  readonly role: string | null
}

/** Where callers may act: what every request asks, so at once. */
export function actingIn({ orgs, membershipsOf }: PeopleTables) {
  const acting = (orgId: string, role: string | null): Acting | null => {
    const org = orgs.get(orgId)
    return org === undefined ? null : Object.freeze({ org, role })
  }
  const placesOf = (caller: Caller<StoredUser>): readonly Place[] => {
    if (caller.kind === 'user') return membershipsOf.get(caller.user.id) ?? []
    if (caller.kind === 'service') return []
    const { orgId, role } = caller.kind === 'apiKey' ? caller.key : caller.machine
    return orgId === null ? [] : [{ orgId, role }]
  }
  return {
    find(caller: Caller<StoredUser>, orgId: string): Acting | null {
      if (caller.kind === 'service') return acting(orgId, null)
      if (caller.kind === 'apiKey' && caller.key.orgId === null) return acting(orgId, caller.key.role)
      if (caller.kind === 'machine' && caller.machine.orgId === null) return acting(orgId, caller.machine.role)
      const place = placesOf(caller).find((each) => each.orgId === orgId)
      return place === undefined ? null : acting(orgId, place.role)
    },
    list(caller: Caller<StoredUser>, limit?: number): Acting[] {
      const found: Acting[] = []
      for (const { orgId, role } of placesOf(caller)) {
        if (found.length === limit) break
        const one = acting(orgId, role)
        if (one !== null) found.push(one)
      }
      return found
    },
  }
}

/** Put a membership into a list that is ordered by when they began. */
export function insertInOrder(list: readonly Membership[], membership: Membership): readonly Membership[] {
  // Most often it is the last one.
  const at = list.findLastIndex((other) => byJoin(other, membership) < 0) + 1
  return list.toSpliced(at, 0, membership)
}

function byJoin(a: Membership, b: Membership): number {
  return a.joinedAt.getTime() - b.joinedAt.getTime() || compare(a.orgId, b.orgId) || compare(a.userId, b.userId)
}
