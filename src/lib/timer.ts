/** Timers that never keep a process alive, and work that ends in time. Real time: an injected clock doesn't move them. */

interface DenoTimers {
  readonly Deno?: { readonly unrefTimer?: ((id: number) => void) | undefined } | undefined
}

// What setTimeout can wait for; it fires at once for more.
const MAX_MS = 2 ** 31 - 1

/**
 * Run `work` once, later.
 *
 * @param milliseconds at most 24 days: a longer wait ends then
 * @returns a function that calls it off
 */
export function startTimer(work: () => void, milliseconds: number): () => void {
  const timer: unknown = setTimeout(work, Math.min(MAX_MS, Math.max(0, milliseconds)))
  // Node and Bun return an object, Deno a number with a function of its own; in workers nothing outlives its request.
  if (typeof timer === 'number') (globalThis as DenoTimers).Deno?.unrefTimer?.(timer)
  else (timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as number)
}

/**
 * Wait for `work` until it ends, the time is up or `controller` aborts, whichever comes first; also if `work` ignores its
 * signal. When the time is up, the controller is aborted with what `late` makes.
 *
 * @param milliseconds how long
 * @param late makes what is thrown when the time is up
 */
export async function withDeadline<T>(
  controller: AbortController,
  milliseconds: number,
  late: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = controller
  signal.throwIfAborted()
  const stop = startTimer(() => controller.abort(late()), milliseconds)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  try {
    return await Promise.race([work(signal), aborted])
  } finally {
    stop()
  }
}
