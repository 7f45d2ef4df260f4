/** The kit signs people in for real, and takes no option for another: a misspelt role would make a test prove nothing. */
import { expect, it } from 'vitest'
import { createTestKit } from '../../src/testing/test-kit.ts'

it('signs the same address in as the same person, with the membership asked for', async () => {
  const { signIn, storage } = await createTestKit({ orgHeader: 'X-Team' })
  const first = await signIn({ email: 'ada@example.test', org: 'acme', role: 'admin' })
  const second = await signIn({ email: 'ada@example.test', org: 'acme', role: 'member' })
  expect(second.user?.id).toBe(first.user?.id)
  expect(second.headers).toMatchObject({ 'X-Team': first.org?.id })
  const caller = { kind: 'user', user: second.user as NonNullable<typeof second.user> } as const
  expect(await storage.memberships.listActing(caller)).toMatchObject([{ role: 'member' }])
})

it('signs somebody in who has never been here', async () => {
  const { signIn, verify } = await createTestKit()
  const { token, user, org } = await signIn({ claims: { email_verified: true } })
  expect([user, org]).toEqual([null, null])
  expect(await verify.verify(token)).toMatchObject({ emailVerified: true })
})

it.each([
  [{ orgheader: 'x-org' }, 'createTestKit: unknown option "orgheader"'],
  [{ orgHeader: 'x org' }, 'createTestKit: option "orgHeader" must be a header name'],
  [{ audience: '' }, 'createTestKit: option "audience"'],
])('refuses the options %j', async (options, sentence) => {
  await expect(createTestKit(options as never)).rejects.toThrow(sentence)
})

it.each([
  [{ rol: 'admin' }, 'signIn: unknown option "rol"'],
  [{ org: null }, 'signIn: option "org"'],
])('signs nobody in by %j', async (whom, sentence) => {
  const { signIn } = await createTestKit()
  await expect(signIn(whom as never)).rejects.toThrow(sentence)
})
