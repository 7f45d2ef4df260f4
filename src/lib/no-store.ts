/**
 * Keep HTTP caches out of the way of keys, metadata and tokens: frameworks patch `fetch` and keep what it answers (Next.js),
 * and a kept answer would outlive a rotation.
 */

/**
 * Make the part of `fetch`'s options that says so (Fetch §2.2.5, cache mode), where the runtime takes it: workers of older
 * compatibility dates throw at the member itself.
 */
export function noStore(): { readonly cache?: 'no-store' } {
  try {
    new Request('https://localhost', { cache: 'no-store' })
    return { cache: 'no-store' }
  } catch {
    return {}
  }
}
