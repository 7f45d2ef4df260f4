/** A service that one auth let in acted in the orgs of another auth on the same process. */
import { expect, it } from 'vitest'
import { createWorld, reasonOf, SERVICE_SECRET } from '../pipeline/world.ts'

it('a service context opens no org of another auth', async () => {
  const [one, two] = [createWorld(), createWorld()]
  const context = await one.authenticate({ headers: { 'x-telephony-secret': SERVICE_SECRET } }, { accept: ['service'] })
  expect(await reasonOf(two.auth.actIn(context as never, await two.org('acme')))).toBe('act_in_no_service')
})
