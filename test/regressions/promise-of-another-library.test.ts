/**
 * Where a library has put a promise of its own in the place of the global one (zone.js does), what an async function hands out is
 * none of those, and an adapter that asked by `instanceof` took it for a decision: the handler ran before anybody was let in.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createAdapterAudit, runAdapterAudit } from '../../src/testing/adapter-audit.ts'
import { HOSTS, type HostName, listen } from '../support/hosts.ts'

const Native = globalThis.Promise
beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  globalThis.Promise = class Another<T> extends Native<T> {} as PromiseConstructor
})
afterAll(() => {
  globalThis.Promise = Native
  vi.restoreAllMocks()
})

it.each(Object.keys(HOSTS) as HostName[])('%s answers as ever', async (name) => {
  const audit = await createAdapterAudit()
  const server = await listen(HOSTS[name](audit))
  const failed = (await runAdapterAudit(audit, server.url)).filter(({ problems }) => problems.length > 0)
  await server.close()
  expect(failed).toEqual([])
})
