/** Cases of the user contract: an identity is the exact pair of issuer and subject, and nothing else is one. */
import type { IdentityKey } from '../../context.ts'
import type { UserRepository } from '../../storage/repositories.ts'
import type { CaseSpec } from './contract-case.ts'
import { newEmail, newIdentity, newPerson } from './contract-world.ts'
import { expectNull, expectSame, expectThat } from './expectations.ts'

// Every identity is a user of its own, and is found as that user.
async function expectApart(users: UserRepository, identities: readonly IdentityKey[]): Promise<void> {
  const ids: string[] = []
  for (const identity of identities) {
    const { user, created } = await users.upsertByIdentity({ ...identity, email: newEmail() })
    expectThat(created, `a user of its own for ${JSON.stringify(identity)}`, user)
    ids.push(user.id)
  }
  expectThat(new Set(ids).size === ids.length, `${ids.length} users`, ids)
  for (const [index, identity] of identities.entries()) {
    const found = await users.findByIdentity(identity, { kind: 'unnamed' })
    expectSame(found?.user.id, ids[index], `the user found for ${JSON.stringify(identity)}`)
  }
}

export const IDENTITY_CASES: readonly CaseSpec[] = [
  {
    id: 'users/identity-is-the-pair',
    name: 'MUST tell users apart by issuer and subject together: the same subject of another issuer is another user',
    requirement: 'P2',
    async test({ storage: { users } }) {
      const [a, b] = [newIdentity().subject, newIdentity().subject]
      await expectApart(users, [
        { issuer: 'https://one.test', subject: a },
        { issuer: 'https://two.test', subject: a },
        { issuer: 'https://one.test', subject: b },
        { issuer: a, subject: b },
        { issuer: b, subject: a },
      ])
    },
  },
  {
    id: 'users/joined-pairs',
    name: 'MUST NOT take pairs for one user that are the same text once issuer and subject are joined',
    requirement: 'P2',
    async test({ storage: { users } }) {
      for (const joint of ['', '|', ':', '/', '#', ' ', ',', '.', '-', '_', '::', '","']) {
        const [a, b, c] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()]
        await expectApart(users, [
          { issuer: a, subject: `${b}${joint}${c}` },
          { issuer: `${a}${joint}${b}`, subject: c },
        ])
      }
    },
  },
  {
    id: 'users/identity-is-exact',
    name: 'MUST compare issuer and subject exactly: case, white space, a final slash and Unicode form all count',
    requirement: 'P2',
    async test({ storage: { users } }) {
      const [issuer, subject] = [`https://${crypto.randomUUID()}.test`, `Jos\u00e9 ${crypto.randomUUID()}A`]
      const person = { issuer, subject, email: newEmail() }
      await users.upsertByIdentity(person)
      const subjects = [
        subject.toLowerCase(),
        subject.toUpperCase(),
        `${subject} `,
        ` ${subject}`,
        subject.normalize('NFD'),
      ]
      const others = [
        ...subjects.map((other) => ({ issuer, subject: other })),
        ...[issuer.toUpperCase(), `${issuer}/`, `${issuer} `].map((other) => ({ issuer: other, subject })),
      ]
      for (const other of others) {
        const found = await users.findByIdentity(other, { kind: 'unnamed' })
        expectNull(found, `the user of ${JSON.stringify(other)}`)
      }
      await expectApart(users, others)
    },
  },
  {
    id: 'users/long-subjects',
    name: 'MUST keep issuers and subjects of 255 characters whole: two that differ in the last are two users',
    requirement: 'T4',
    async test({ storage: { users } }) {
      const start = crypto.randomUUID().padEnd(254, 'x')
      const issuer = `https://${crypto.randomUUID()}.test/`.padEnd(254, 'y')
      await expectApart(users, [
        { issuer: `${issuer}1`, subject: `${start}1` },
        { issuer: `${issuer}1`, subject: `${start}2` },
        { issuer: `${issuer}2`, subject: `${start}1` },
      ])
    },
  },
  {
    id: 'users/lone-surrogates',
    name: 'MUST NOT find a user by a subject that only becomes the same in UTF-8',
    requirement: 'P2',
    async test({ storage: { users } }) {
      const person = newPerson()
      await users.upsertByIdentity({ ...person, subject: `${person.subject}\ufffd` })
      for (const surrogate of ['\ud83e', '\udd8a']) {
        const identity = { ...person, subject: `${person.subject}${surrogate}` }
        const found = await users.findByIdentity(identity, { kind: 'unnamed' })
        expectNull(found, 'the user of a subject that ends in a lone surrogate')
      }
    },
  },
  {
    id: 'users/email-links-nothing',
    name: 'MUST make two users of two identities with one e-mail address',
    requirement: 'P2',
    async test({ storage: { users } }) {
      const [first, second] = [newPerson(), newIdentity()]
      const one = await users.upsertByIdentity(first)
      const other = await users.upsertByIdentity({ ...second, email: first.email })
      expectThat(other.created && other.user.id !== one.user.id, 'a new user for a new identity', other)
      expectSame([one.user.email, other.user.email], [first.email, first.email], 'the e-mail of both')
    },
  },
]
