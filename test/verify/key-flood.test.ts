// K5, K9: ten thousand unknown kids in ten seconds make two requests at most, and hide no rotation.
import { expect, it } from 'vitest'
import { floodUnknownKids } from './key-flood.ts'

it('healthy: two requests at most, 401, and a rotation amid it is picked up within 30 s', async () => {
  const { outbound, verdicts, pickedUpAfter } = await floodUnknownKids(10_000, false)
  expect(outbound).toBeLessThanOrEqual(2)
  expect([...verdicts]).toEqual(['unauthorized:token_key_unknown'])
  expect(pickedUpAfter).toBeLessThanOrEqual(30)
})

it('down: two requests at most, 503', async () => {
  const { outbound, verdicts } = await floodUnknownKids(10_000, true)
  expect(outbound).toBeLessThanOrEqual(2)
  expect([...verdicts]).toEqual(['keys_unavailable:key_servers_failing'])
})
