/** A host's table on which e-mails are unique: what says so. */
import {
  createAuth,
  createOrgResolver,
  createProvisioner,
  type Decision,
  explain,
  header,
  type Organization,
  type User,
} from 'sallyport'
import { fromFetchRequest } from 'sallyport/adapter'
import type { AuthStorage } from 'sallyport/storage'
import { createTokenIssuer, storageContract } from 'sallyport/testing'
import { expect, vi } from 'vitest'
import { CONTRACT } from './own-tables.ts'

/** The second person with an address is refused; the constraint is named wherever somebody looks, and the address nowhere. */
export async function expectNamed<U extends User, O extends Organization, Tx>(
  storage: AuthStorage<U, O, Tx>,
  constraint: string,
): Promise<void> {
  const shared = storageContract
    .cases(() => ({ storage }), CONTRACT)
    .find(({ id }) => id === 'users/email-links-nothing')
  await expect(shared?.run()).rejects.toThrow(
    `expected a second user with the e-mail address of another (where addresses are unique they can never log in), got ConflictError: the row is there already (${constraint})`,
  )

  const tokens = await createTokenIssuer({
    issuer: 'https://login.example.com',
    audience: 'api',
    algorithms: ['ES256'],
  })
  const records: Decision[] = []
  const lines: string[] = []
  const print = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)))
  const options = {
    issuers: [{ issuer: tokens.issuer, audience: 'api', keys: [{ kind: 'jwks', keys: tokens.jwks().keys }] }],
    roles: ['member', 'owner'],
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Team')],
      whenUnnamed: 'earliest-joined',
    }),
  } as const
  const ask = async (auth: { authenticate(request: never): Promise<unknown> }, sub: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${await tokens.sign({ sub, email: 'same@example.test' })}` }
    const request = fromFetchRequest(new Request('https://api.example.com/me', { headers }))
    return auth.authenticate(request as never).then(
      () => 'in',
      (error: { status?: number }) => error.status,
    )
  }
  const told = createAuth({
    ...options,
    onDecision(decision) {
      records.push(decision)
      explain({ color: false })(decision)
    },
  })
  expect(await ask(told, 'first')).toBe('in')
  expect(await ask(told, 'second')).toBe(503)
  expect(await ask(createAuth(options), 'second')).toBe(503)
  print.mockRestore()

  expect(records[1]).toMatchObject({
    reason: 'provisioning_not_committed',
    cause: { message: `the row is there already (${constraint})` },
  })
  expect(lines).toHaveLength(2)
  for (const line of lines)
    expect(line).toMatch(new RegExp(`provisioning_not_committed.*[ [](23505|P2\\d+) ${constraint}`))
  expect(lines.join()).not.toContain('same@')
}
