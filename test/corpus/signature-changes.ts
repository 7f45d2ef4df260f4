/** What may become of a signature's bytes in a case: damages, and the one other spelling of ECDSA that stays good. */

/** A change of a signature. */
export type SignatureChange =
  | 'first-bit'
  | 'last-bit'
  | 'short'
  | 'long'
  | 'zeros'
  | 'ones'
  | 'one-byte'
  | 'halves-swapped'
  | 'der'
  | 'low-s'
  | 'high-s'
  | 'r-zero'
  | 's-zero'
  | 's-plus-order'

// The order of the group of P-256 (SEC 2 §2.4.2).
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Change a signature. `low-s` and `high-s` choose between s and n - s, which verify alike (T8). */
export function changeSignature(bytes: Buffer, change: SignatureChange | undefined): Buffer {
  const half = bytes.length / 2
  const [r, s] = [bytes.subarray(0, half), bytes.subarray(half)]
  switch (change) {
    case undefined:
      return bytes
    case 'first-bit':
      return Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 0x80 : byte)))
    case 'last-bit':
      return Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))
    case 'short':
      return bytes.subarray(0, -1)
    case 'long':
      return Buffer.concat([bytes, Buffer.from([0])])
    case 'zeros':
      return Buffer.alloc(bytes.length)
    case 'ones':
      return Buffer.alloc(bytes.length, 0xff)
    case 'one-byte':
      return Buffer.from([1])
    case 'halves-swapped':
      return Buffer.concat([s, r])
    case 'der':
      return toDer(r, s)
    case 'low-s':
      return Buffer.concat([r, withS(s, (value) => (value > ORDER / 2n ? ORDER - value : value))])
    case 'high-s':
      return Buffer.concat([r, withS(s, (value) => (value > ORDER / 2n ? value : ORDER - value))])
    case 'r-zero':
      return Buffer.concat([Buffer.alloc(32), s])
    case 's-zero':
      return Buffer.concat([r, Buffer.alloc(32)])
    case 's-plus-order':
      return Buffer.concat([r, withS(s, (value) => (value + ORDER) % 2n ** 256n)])
    default:
      throw new Error(`no such change of a signature: ${change satisfies never}`)
  }
}

function withS(s: Buffer, change: (value: bigint) => bigint): Buffer {
  return Buffer.from(
    change(BigInt(`0x${s.toString('hex')}`))
      .toString(16)
      .padStart(64, '0'),
    'hex',
  )
}

function toDer(r: Buffer, s: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes])
  const body = Buffer.concat([integer(r), integer(s)])
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}
