// K5: a flood of unknown kids, told by the clock: used small in the suite and full-size in the proof.
import { expect } from 'vitest'
import { createBench, down, verdictOf } from './bench.ts'

/** Send `count` unknown kids within ten seconds of the clock; ends with the outbound requests and the verdicts. */
export async function floodUnknownKids(
  count: number,
  isDown: boolean,
): Promise<{ outbound: number; verdicts: ReadonlySet<string>; pickedUpAfter: number }> {
  const { clock, issuer, server, verifier } = await createBench()
  await verifier.verify(await issuer.sign())
  clock.tick(30)
  if (isDown) server.answer = down
  const before = server.calls
  // The kid of a token is under its signature, but nobody gets to check one: a forged token floods just as well.
  const [, payload, signature] = (await issuer.sign()).split('.')
  const verdicts = new Set<string>()
  const flood = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 10) {
      const batch = Array.from({ length: 10 }, (_, i) => forge(`kid-${n + i}`, payload, signature))
      for (const verdict of await Promise.all(batch.map((token) => verdictOf(verifier.verify(token)))))
        verdicts.add(verdict)
      clock.tick(100 / count)
    }
  }
  await flood(0, count / 2)
  if (!isDown) await issuer.rotate('ES256', { overlap: false })
  await flood(count / 2, count)
  const outbound = server.calls - before
  if (isDown) return { outbound, verdicts, pickedUpAfter: 0 }
  const token = await issuer.sign()
  let pickedUpAfter = 0
  while ((await verdictOf(verifier.verify(token))) !== 'ok' && pickedUpAfter < 60) {
    clock.tick(1)
    pickedUpAfter += 1
    await flood(0, 10)
  }
  expect(await verdictOf(verifier.verify(token))).toBe('ok')
  return { outbound, verdicts, pickedUpAfter }
}

function forge(kid: string, payload: string | undefined, signature: string | undefined): string {
  return `${Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url')}.${payload}.${signature}`
}
