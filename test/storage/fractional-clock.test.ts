/** A clock may tell fractions of a millisecond (`performance.timeOrigin + performance.now()`): SQLite's tables took none. */
import { expect, it } from 'vitest'
import { STORAGES } from '../people/storages.ts'

const NOW = Date.parse('2026-11-20T10:00:00.250Z')

it.each(STORAGES)('$name keeps whole milliseconds of it', async ({ open }) => {
  const storage = await open({ clock: () => NOW + 0.75 })
  const { user } = await storage.users.upsertByIdentity({ issuer: 'https://issuer.test', subject: 'ada', email: null })
  const org = await storage.orgs.insert({ name: 'Acme' })
  const { joinedAt } = await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
  const place = { name: 'job', orgId: org.id, role: 'owner', permissions: null }
  const machine = await storage.machines.insert({ issuer: 'https://issuer.test', subject: 'job', ...place })
  const instants = [user.createdAt, org.createdAt, joinedAt, machine.createdAt]
  expect(instants).toEqual(instants.map(() => new Date(NOW)))
})

it.each(STORAGES)('$name counts by limits that are fractions of one', async ({ open }) => {
  const { throttle } = (await open()).accounts
  const failed = { failures: 1, closedUntil: 0, recent: [], pending: [] }
  const fail = () =>
    throttle.update(['account:ada'], new Date(NOW), ([state], now) => ({
      states: [{ ...failed, expiresAt: now + 60_000.5 }],
      result: state?.failures ?? 0,
    }))
  expect([await fail(), await fail()]).toEqual([0, 1])
})
