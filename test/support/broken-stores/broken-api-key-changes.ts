/** Broken API key repositories: rotation, revocation and use. */

import { pause } from '../../../src/testing/contracts/races.ts'
import type { BrokenApiKeysSpec } from './broken-api-key-spec.ts'
import { isOwn } from './plain-api-keys.ts'

export const BROKEN_API_KEY_CHANGES: readonly BrokenApiKeysSpec[] = [
  {
    name: 'rotate: the first hash stays',
    why: 'Fills the previous hash only where there is none: after two rotations the first secret works again.',
    breaks: ['api-keys/rotate', 'api-keys/rotate-race'],
    flaw: ({ rotate }, { rows, update }) => ({
      async rotate(owner, keyId, change) {
        const first = rows.get(keyId)?.previousSecretHash
        const rotated = await rotate(owner, keyId, change)
        if (rotated === null || first == null || change.previousUntil === null) return rotated
        update(keyId, { previousSecretHash: first })
        return { ...rotated, previousSecretHash: first }
      },
    }),
  },
  {
    name: 'rotate: all of the org',
    why: 'The UPDATE asks for the org of the key, and not for its id: one secret opens all of them.',
    breaks: ['api-keys/rotate'],
    flaw: ({ rotate }, { list, update }) => ({
      async rotate(owner, keyId, change) {
        const rotated = await rotate(owner, keyId, change)
        if (rotated === null) return null
        const { id, orgId, secretHash } = rotated
        for (const key of list((row) => row.orgId === orgId && row.id !== id)) update(key.id, { secretHash })
        return rotated
      },
    }),
  },
  {
    name: 'rotate: no end',
    why: 'Forgets the deadline: the old secret works for good, or never.',
    breaks: ['api-keys/rotate', 'api-keys/instants-exact'],
    flaw: ({ rotate }, { update }) => ({
      async rotate(owner, keyId, change) {
        const rotated = await rotate(owner, keyId, change)
        update(keyId, { previousUntil: null })
        return rotated && { ...rotated, previousUntil: null }
      },
    }),
  },
  {
    name: 'rotate: the previous hash stays without a deadline',
    why: 'Writes the deadline, not the hash: "at once" leaves the secret from before behind.',
    breaks: ['api-keys/rotate-at-once'],
    flaw: ({ rotate }, { rows, update }) => ({
      async rotate(owner, keyId, change) {
        const { secretHash } = rows.get(keyId) ?? {}
        const rotated = await rotate(owner, keyId, change)
        if (rotated !== null && secretHash !== undefined) update(keyId, { previousSecretHash: secretHash })
        return rotated && { ...rotated, previousSecretHash: secretHash ?? null }
      },
    }),
  },
  {
    name: 'rotate: revives',
    why: 'Rotating a revoked key makes it good again.',
    breaks: ['api-keys/rotate-revoked', 'api-keys/revoke-wins'],
    flaw: ({ rotate }, { find, update }) => ({
      async rotate(owner, keyId, change) {
        if (find(owner, keyId) !== undefined) update(keyId, { revokedAt: null })
        return rotate(owner, keyId, change)
      },
    }),
  },
  {
    name: 'rotate: by id alone',
    why: "Forgets the org in the where: a stranger rotates another org's key, and holds its secret.",
    breaks: ['api-keys/rotate-own', 'api-keys/unbound'],
    flaw: ({ rotate }) => ({ rotate: (_, keyId, change) => rotate({ kind: 'installation' }, keyId, change) }),
  },
  {
    name: 'rotate: read, then write',
    why: 'Reads the present hash and writes it back later: of two rotations at once both keep the same previous one.',
    breaks: ['api-keys/rotate-race'],
    flaw: ({ rotate }, { rows, update }) => ({
      async rotate(owner, keyId, change) {
        const { secretHash = null } = rows.get(keyId) ?? {}
        await pause(1)
        const rotated = await rotate(owner, keyId, change)
        if (rotated === null || change.previousUntil === null) return rotated
        update(keyId, { previousSecretHash: secretHash })
        return { ...rotated, previousSecretHash: secretHash }
      },
    }),
  },
  {
    name: 'rotate: saves the whole row',
    why: 'Reads the row and saves all of it: a revocation in between is undone.',
    breaks: ['api-keys/revoke-wins'],
    flaw: ({ rotate }, { find, update, clone }) => ({
      async rotate(owner, keyId, change) {
        const row = find(owner, keyId)
        if (row === undefined || row.revokedAt !== null) return null
        const { revokedAt, lastUsedAt } = clone(row)
        await pause(1)
        update(keyId, { revokedAt, lastUsedAt })
        return rotate(owner, keyId, change)
      },
    }),
  },
  {
    name: 'revoke: the last instant',
    why: 'Each revocation writes its own instant: the record says it was good until the second one.',
    breaks: ['api-keys/revoke'],
    flaw: ({ revoke }, { find, update }) => ({
      async revoke(owner, keyId, at) {
        const revoked = await revoke(owner, keyId, at)
        if (find(owner, keyId) !== undefined) update(keyId, { revokedAt: at })
        return revoked
      },
    }),
  },
  {
    name: 'revoke: deletes',
    why: 'Deletes the row: a second revocation finds nothing, nor does anybody who asks what became of the key.',
    breaks: ['api-keys/revoke', 'api-keys/revoke-race'],
    flaw: ({ revoke }, { rows }) => ({
      async revoke(owner, keyId, at) {
        const revoked = await revoke(owner, keyId, at)
        if (revoked) rows.delete(keyId)
        return revoked
      },
    }),
  },
  {
    name: 'revoke: read, then write',
    why: 'Asks whether it is revoked, writes later: several at once write one after another.',
    breaks: ['api-keys/revoke-race'],
    flaw: (_, { find, update }) => ({
      async revoke(owner, keyId, at) {
        const row = find(owner, keyId)
        const isLive = row?.revokedAt === null
        await pause(at.getMilliseconds() % 3)
        if (isLive) update(keyId, { revokedAt: at })
        return row !== undefined
      },
    }),
  },
  {
    name: 'revoke: by id alone',
    why: "Forgets the org in the where: a stranger ends another org's keys.",
    breaks: ['api-keys/revoke-own', 'api-keys/unbound'],
    flaw: ({ revoke }) => ({ revoke: (_, keyId, at) => revoke({ kind: 'installation' }, keyId, at) }),
  },
  {
    name: 'revoke created by: all of the org',
    why: 'Forgets whose keys are meant: one person leaves, and every job of the org stands still.',
    breaks: ['api-keys/revoke-created-by', 'api-keys/revoke-created-by-hostile'],
    flaw: ({ list, revoke }) => ({
      async revokeCreatedBy(owner, _, at) {
        const ids = (await list(owner)).map(({ id }) => id)
        for (const id of ids) await revoke(owner, id, at)
        return ids
      },
    }),
  },
  {
    name: 'revoke created by: in every org',
    why: 'Forgets the org in the where: who leaves one org loses the keys that serve the others.',
    breaks: ['api-keys/revoke-created-by', 'api-keys/installation-created-by'],
    flaw: ({ revokeCreatedBy }) => ({
      revokeCreatedBy: (_, userId, at) => revokeCreatedBy({ kind: 'installation' }, userId, at),
    }),
  },
  {
    name: 'revoke created by: the revoked again',
    why: 'Forgets "and not revoked": the record says it was good until later, and events tell of it twice.',
    breaks: ['api-keys/revoke-created-by-once', 'api-keys/revoke-created-by-race'],
    flaw: (_, { rows, update }) => ({
      async revokeCreatedBy(owner, userId, at) {
        const ids = [...rows.values()]
          .filter((row) => row.createdBy === userId && isOwn(owner, row))
          .map(({ id }) => id)
        for (const id of ids) update(id, { revokedAt: at })
        return ids
      },
    }),
  },
  {
    name: 'revoke created by: list, then write',
    why: 'Two statements: of two at once both say that they have ended the same keys.',
    breaks: ['api-keys/revoke-created-by-race'],
    flaw: ({ list, revoke }) => ({
      async revokeCreatedBy(owner, userId, at) {
        const made = (await list(owner)).filter(({ createdBy }) => createdBy === userId)
        await pause(1)
        for (const { id } of made) await revoke(owner, id, at)
        return made.map(({ id }) => id)
      },
    }),
  },
  {
    name: 'revoke created by: bound ones only',
    why: 'Joins the organizations: keys that are bound to none stay with who made them.',
    breaks: ['api-keys/installation-created-by'],
    flaw: ({ revokeCreatedBy }, { rows, update }) => ({
      async revokeCreatedBy(owner, userId, at) {
        const ended = await revokeCreatedBy(owner, userId, at)
        const unbound = ended.filter((id) => rows.get(id)?.orgId === null)
        for (const id of unbound) update(id, { revokedAt: null })
        return ended.filter((id) => !unbound.includes(id))
      },
    }),
  },
  {
    name: 'touch: whatever comes',
    why: 'Writes the instant it is given: a late note moves the last use back.',
    breaks: ['api-keys/touch', 'api-keys/revoke-wins'],
    flaw: (_, { update }) => ({
      async touch(keyId, at) {
        await pause(at.getMilliseconds() % 3)
        update(keyId, { lastUsedAt: at })
      },
    }),
  },
  {
    name: 'touch: all of the org',
    why: 'Updates by org: every key looks used.',
    breaks: ['api-keys/touch'],
    flaw: ({ touch }, { rows }) => ({
      async touch(keyId, at) {
        const orgId = rows.get(keyId)?.orgId
        for (const row of rows.values()) if (row.orgId === orgId) await touch(row.id, at)
      },
    }),
  },
]
