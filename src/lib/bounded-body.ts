/** Read the body of an HTTP answer into memory, never more of it than allowed. */

/**
 * Read a body to its end. The stream is decompressed already: the limit holds for what arrives in memory, not for what
 * was sent.
 *
 * @param maxBytes where to stop
 * @returns the bytes, or `null` where there were more than `maxBytes`: the rest is not read
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const part = await reader?.read()
    if (part?.value === undefined) break
    size += part.value.byteLength
    if (size > maxBytes) {
      reader?.cancel().catch(() => {})
      return null
    }
    chunks.push(part.value)
  }
  return join(chunks, size)
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
