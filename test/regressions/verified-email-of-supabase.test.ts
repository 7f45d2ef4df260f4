/**
 * A Supabase token has no top-level `email_verified`: who waited for `true` there never saw an invitation taken, and who took
 * its absence for it let anybody in whose project confirms nothing. What counts is said of the issuer.
 */

import { expect, it } from 'vitest'
import { createJwtVerifier, createProvisioner, supabase } from '../../src/index.ts'
import { createInvitations } from '../../src/people/invitations.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { SupabaseOptions } from '../../src/verify/issuer-presets.ts'
import { newInvitation } from '../invitation.ts'

const tokens = await createTokenIssuer({ algorithms: ['HS256'] })
const { issuer, secret, audience } = tokens

async function joinedAs(emails: SupabaseOptions['emails'], claims: object): Promise<string | null | undefined> {
  const storage = createMemoryStorage()
  const org = await storage.orgs.insert({ name: 'acme' })
  await storage.invitations.insert(newInvitation({ email: 'ada@example.test', orgId: org.id, role: 'admin' }))
  const provision = createProvisioner({
    storage,
    invitations: createInvitations({
      ...{ storage, roles: ['admin'], manage: { role: 'admin' }, takeEffect: 'on-first-login' },
    }),
  })
  const verifier = createJwtVerifier({ issuers: [supabase({ issuer, secret, emails, audience })] })
  const identity = await verifier.verify(
    await tokens.sign(tokens.supabaseClaims({ sub: 'u', email: 'ada@example.test', ...claims })),
  )
  const { user } = await provision(identity, { kind: 'unnamed' })
  const [acting] = await storage.memberships.listActing({ kind: 'user', user }, 5)
  return acting?.org.id === org.id ? acting.role : 'own org'
}

it.each<[SupabaseOptions['emails'], object, string]>([
  ['confirmed', {}, 'admin'],
  ['confirmed', { user_metadata: { email_verified: false } }, 'admin'],
  ['confirmed', { email_verified: true }, 'admin'],
  ['confirmed', { email_verified: false }, 'own org'],
  ['as-claimed', {}, 'own org'],
  ['as-claimed', { user_metadata: { email_verified: true } }, 'own org'],
  ['as-claimed', { email_verified: true }, 'admin'],
  ['as-claimed', { email_verified: 'true' }, 'own org'],
  [undefined, {}, 'own org'],
  [undefined, { email_verified: true }, 'admin'],
])('%s: a token with %j joins as %s', async (emails, claims, expected) => {
  expect(await joinedAs(emails, claims)).toBe(expected)
})
