/**
 * What a user resolver leaves out (a role of the user's own, the organization they act in) was looked up through
 * `Object.prototype`: who had let it be written there made everybody an owner anywhere.
 */
import { expect, it } from 'vitest'
import { createSyncGate } from '../../src/users/sync.ts'
import { createWorld, reasonOf } from '../pipeline/world.ts'

async function polluted<T>(written: Readonly<Record<string, unknown>>, work: () => Promise<T>): Promise<T> {
  Object.assign(Object.prototype, written)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(written)) Reflect.deleteProperty(Object.prototype, name)
  }
}

it('nobody has a role that their user resolver has not said', async () => {
  const { person, authenticate } = createWorld()
  const { headers } = await person('ada')
  const work = () => reasonOf(authenticate({ headers }, { needs: 'user', role: 'admin' }))
  const clean = await work()
  expect(await polluted({ role: 'owner' }, work)).toBe(clean)
})

it('nobody acts in an organization that their user resolver has not said', async () => {
  const { org, person, authenticate } = createWorld({
    auth: ({ users }) => ({
      users: createSyncGate({
        users: {
          ...users,
          findByIdentity: async (identity, selection) => {
            const record = await users.findByIdentity(identity, selection)
            return record && { user: record.user }
          },
        },
      }) as never,
    }),
  })
  const membership = { org: { id: await org('other'), name: 'other' }, role: 'owner' }
  const { headers } = await person('ada')
  expect(await polluted({ membership }, () => reasonOf(authenticate({ headers })))).toBe('not_a_member')
})

it('a key is nobody’s identity', async () => {
  const { org, apiKey, authenticate, decisions } = createWorld()
  const headers = { authorization: `Bearer ${apiKey({ orgId: await org('acme') })}` }
  const identity = { issuer: 'https://somebody.example', actor: null }
  await polluted({ identity }, () => authenticate({ headers }, { accept: ['apiKey'] }))
  expect(decisions.at(-1)).toMatchObject({ outcome: 'allowed', issuer: null })
})
