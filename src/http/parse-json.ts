/** JSON text as a client sent it: bytes in, value out, and one value for everything that is no JSON. */

/** Parse UTF-8 JSON (RFC 8259 §8.1); `undefined` for malformed bytes, a byte order mark or malformed JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}
