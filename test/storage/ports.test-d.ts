/** What a host with tables of its own is asked for at least, and what the shipped storages are. */
import { createOrgResolver, createProvisioner, header } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import type { AuthStorage, PeopleStorage, ShippedStorage, StoredOrganization, StoredUser } from 'sallyport/storage'
import { expectTypeOf, it } from 'vitest'

it('the pipeline asks for an AuthStorage, without anything that `sallyport/people` needs', () => {
  expectTypeOf<keyof AuthStorage['memberships']>().toEqualTypeOf<'findActing' | 'listActing' | 'insert'>()
  expectTypeOf<keyof AuthStorage>().toEqualTypeOf<'users' | 'orgs' | 'memberships' | 'transaction'>()
  expectTypeOf<keyof AuthStorage['orgs']>().toEqualTypeOf<'insert' | 'findById'>()
  const storage = createMemoryStorage() as AuthStorage<StoredUser, StoredOrganization, null>
  createProvisioner({ storage })
  createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'none' })
})

it('a shipped storage is an PeopleStorage, and that is an AuthStorage, in a transaction too', () => {
  expectTypeOf<ShippedStorage<null>>().toExtend<PeopleStorage<StoredUser, StoredOrganization, null>>()
  expectTypeOf<PeopleStorage<StoredUser, StoredOrganization, null>>().toExtend<
    AuthStorage<StoredUser, StoredOrganization, null>
  >()
  expectTypeOf<AuthStorage>().not.toExtend<PeopleStorage>()
})
