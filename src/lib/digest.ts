/**
 * SHA-256 of a text, at once where the runtime can (Node, Bun, Deno, workers with Node modules), else by WebCrypto.
 * At once matters on the hot path: WebCrypto takes a trip through the thread pool for each digest.
 */

type Hash = (algorithm: 'sha256', data: string, encoding: 'hex' | 'latin1') => string

const hash: Hash | undefined = /* @__PURE__ */ findHash()

function findHash(): Hash | undefined {
  try {
    const runtime = globalThis as { process?: { getBuiltinModule?(name: string): { hash?: Hash } | undefined } }
    const found = runtime.process?.getBuiltinModule?.('node:crypto')?.hash
    // A runtime may have the name alone.
    return found?.('sha256', '', 'latin1').length === 32 ? found : undefined
  } catch {
    return undefined
  }
}

/** Digest the UTF-8 bytes of a text: 64 lower-case hex digits; a promise only where the runtime has no synchronous digest. */
export function sha256Hex(text: string): string | Promise<string> {
  return hash === undefined ? sha256HexByWebCrypto(text) : hash('sha256', text, 'hex')
}

/** The same by WebCrypto alone: what {@link sha256Hex} falls back to. */
export async function sha256HexByWebCrypto(text: string): Promise<string> {
  return Array.from(await sha256Bytes(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Digest a text as {@link sha256Hex} does, for the key of a map: 32 characters, each of them a byte, are found faster than 64. */
export function sha256Key(text: string): string | Promise<string> {
  return hash === undefined ? sha256KeyByWebCrypto(text) : hash('sha256', text, 'latin1')
}

/** The same by WebCrypto alone: what {@link sha256Key} falls back to. */
export async function sha256KeyByWebCrypto(text: string): Promise<string> {
  return String.fromCharCode(...(await sha256Bytes(text)))
}

async function sha256Bytes(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

/**
 * Ask whether two digests are equal, without an early exit: every letter is looked at (`timingSafeEqual` is not
 * Web-standard). Compare digests ({@link sha256Hex} of both sides), never raw secrets: the length is not hidden.
 */
export function isEqualConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
