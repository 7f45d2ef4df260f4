/** What `pack.ts` makes, for the tests of this folder; where the package could not be packed they fail by why. */
import { inject } from 'vitest'
import { askDesk } from '../desk.ts'
import type { Packed } from './pack.ts'

/** Wait until it is packed. */
export async function openPacked(): Promise<Packed> {
  const packed = JSON.parse(await askDesk(inject('packedDesk'))) as Packed
  if (packed.failure !== null) throw new Error(packed.failure)
  return packed
}
