/** Many first logins at once on a machine that stood still for a moment: who waited for a turn was told that five seconds had passed. */
import { expect, it } from 'vitest'
import { createTurns } from '../../src/storage/turns.ts'

it('whoever waits for a turn has not waited while nothing of the process ran', async () => {
  const turns = createTurns('it', { waitSeconds: 0.2 })
  let end = (): void => undefined
  const first = turns(() => new Promise<void>((resolve) => (end = resolve)))
  const second = turns(async () => 'served')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  setTimeout(() => end(), 0)
  expect(await second).toBe('served')
  await first
})
