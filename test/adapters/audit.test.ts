/** The adapter audit on every framework: each case as expected, and the same bytes between them. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type AdapterAudit,
  type AuditResult,
  createAdapterAudit,
  runAdapterAudit,
} from '../../src/testing/adapter-audit.ts'
import { AUDITED_HEADERS } from '../../src/testing/audit/audit-case.ts'
import { HOSTS, type HostName, honoApp, listen } from '../support/hosts.ts'
import { AUDIT_BY_REQUIREMENT } from './audit-by-requirement.ts'

const NAMES = [...Object.keys(HOSTS), 'hono over fetch'] as (HostName | 'hono over fetch')[]

describe.each(['json', 'problem'] as const)('refusals as %s', (errorFormat) => {
  const results = new Map<string, readonly AuditResult[]>()
  let audit: AdapterAudit

  beforeAll(async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    audit = await createAdapterAudit({ errorFormat })
    for (const name of NAMES) results.set(name, await resultsOf(audit, name))
  })
  afterAll(() => vi.restoreAllMocks())

  it('asks at least 80 things, each under a name of its own', () => {
    const ids = audit.cases.map(({ id }) => id)
    expect(ids.length).toBeGreaterThanOrEqual(80)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has every case that a requirement is held by', () => {
    const ids = audit.cases.flatMap(({ id }) => [id, id.split('/')[0] ?? ''])
    for (const [requirement, cases] of Object.entries(AUDIT_BY_REQUIREMENT)) {
      expect(ids, requirement).toEqual(expect.arrayContaining([...cases]))
    }
  })

  it.each(NAMES)('%s answers every case as expected', (name) => {
    const failed = results.get(name)?.filter(({ problems }) => problems.length > 0)
    expect(failed).toEqual([])
  })

  it.each(NAMES.slice(1))('%s answers with the same bytes as express 5', (name) => {
    expect(bytesOf(name)).toEqual(bytesOf('express 5', name))
  })

  // A framework's own 404s and 500s have bodies of their own; over Fetch nothing has a framing.
  function bytesOf(name: string, beside = name): unknown[] {
    const overFetch = beside === 'hono over fetch'
    const skipped = new Set(
      results
        .get(beside)
        ?.filter(({ answer }) => answer === null)
        .map(({ id }) => id),
    )
    return audit.cases.flatMap<unknown>(({ id, request, expected, expectedOnFetch }, index) => {
      const answer = results.get(name)?.[index]?.answer
      if (skipped.has(id) || (overFetch && expectedOnFetch !== undefined)) return []
      if (expected.body === null && expected.status >= 400) return [{ id, status: answer?.status }]
      const framed = !overFetch || request.method === 'HEAD'
      const names = AUDITED_HEADERS.filter((each) => framed || each !== 'content-length')
      return [{ id, ...answer, headers: names.map((each) => [each, answer?.headers[each]]) }]
    })
  }
})

it('finds what is wrong: a host that forgets one guard fails, and says where', async () => {
  const audit = await createAdapterAudit()
  const endpoints = audit.endpoints.map((each) => (each.path === '/admin' ? { ...each, access: {} } : each))
  const server = await listen(HOSTS['koa 3']({ ...audit, endpoints }))
  const failed = (await runAdapterAudit(audit, server.url)).filter(({ problems }) => problems.length > 0)
  await server.close()
  expect(failed.map(({ id }) => id)).toEqual(['head/refused', 'role/low'])
  expect(failed[1]?.problems[0]).toBe('expected status 403, got 200')
})

it('refuses an option it does not know', async () => {
  await expect(createAdapterAudit({ format: 'json' } as never)).rejects.toThrow(/createAdapterAudit: unknown option/)
})

async function resultsOf(audit: AdapterAudit, name: HostName | 'hono over fetch'): Promise<readonly AuditResult[]> {
  if (name === 'hono over fetch') {
    const app = honoApp(audit)
    return runAdapterAudit(audit, (request) => app.fetch(request))
  }
  const server = await listen(HOSTS[name](audit))
  try {
    return await runAdapterAudit(audit, server.url)
  } finally {
    await server.close()
  }
}
