/** Tell a hook of the host's (audit, metrics) what happened. It is not on the way to a verdict. */

/** Call the hook, if there is one. Whatever it throws or rejects with is dropped: it must not decide who gets in. */
export function notify<E>(hook: ((event: E) => unknown) | undefined, event: E): void {
  try {
    Promise.resolve(hook?.(event)).catch(() => undefined)
  } catch {
    // Dropped, as said.
  }
}
