/** Broken stores: who is taken for whom. */
import type { IdentityKey } from '../../../src/context.ts'
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import type { BrokenStoreSpec, Replaced } from './broken-storage.ts'

// Look identities up as something else than they are.
function keyedBy(rekey: (identity: IdentityKey) => IdentityKey): (inner: StoredRepositories) => Replaced {
  return ({ users }) => ({
    users: {
      findByIdentity: (identity, selection) => users.findByIdentity(rekey(identity), selection),
      upsertByIdentity: (user) => users.upsertByIdentity({ ...user, ...rekey(user) }),
    },
  })
}

function eachPart(change: (text: string) => string): (identity: IdentityKey) => IdentityKey {
  return ({ issuer, subject }) => ({ issuer: change(issuer), subject: change(subject) })
}

export const BROKEN_IDENTITIES: readonly BrokenStoreSpec[] = [
  {
    name: 'users: by subject alone',
    why: 'The issuer is not part of the key: whoever runs a second issuer can be anybody.',
    breaks: ['users/identity-is-the-pair', 'users/hostile-issuers'],
    flaw: () => ({ change: keyedBy(({ subject }) => ({ issuer: '', subject })) }),
  },
  {
    name: 'users: issuer and subject joined by a colon',
    why: 'One text column for both: two pairs can be the same text.',
    breaks: ['users/joined-pairs'],
    flaw: () => ({ change: keyedBy(({ issuer, subject }) => ({ issuer: '', subject: `${issuer}:${subject}` })) }),
  },
  {
    name: 'users: case folded',
    why: 'A case-insensitive collation, which many databases have by default.',
    breaks: ['users/identity-is-exact', 'users/issuer-is-exact'],
    flaw: () => ({ change: keyedBy(eachPart((text) => text.toLowerCase())) }),
  },
  {
    name: 'users: cut at 100 characters',
    why: 'A short column and a database that cuts instead of refusing.',
    breaks: ['users/long-subjects', 'users/long-issuers'],
    flaw: () => ({ change: keyedBy(eachPart((text) => text.slice(0, 100))) }),
  },
  {
    name: 'users: written as UTF-8',
    why: 'The driver writes U+FFFD for a lone surrogate: another text becomes the stored one.',
    breaks: ['users/lone-surrogates'],
    flaw: () => ({ change: keyedBy(eachPart((text) => new TextDecoder().decode(new TextEncoder().encode(text)))) }),
  },
  {
    name: 'users: linked by e-mail',
    why: 'A known address is taken for a known person: who controls an issuer takes over accounts.',
    breaks: ['users/email-links-nothing'],
    flaw: () => {
      const owners = new Map<string, string>()
      return {
        change: ({ users }) => ({
          users: {
            async upsertByIdentity(person) {
              const known = await users.findById(owners.get(person.email ?? '') ?? '')
              if (known !== null) return { user: known, created: false }
              const row = await users.upsertByIdentity(person)
              if (person.email !== null) owners.set(person.email, row.user.id)
              return row
            },
          },
        }),
      }
    },
  },
]
