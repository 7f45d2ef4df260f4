/**
 * What is known of a request while its body is awaited: how long that may take, and who judges its caller once more when
 * the body is whole. Kept by the framework's own request object, so that whoever reads the body finds it.
 */
import { AuthError } from '../errors.ts'
import { startTimer } from '../lib/time.ts'
import type { RequestBody } from '../request.ts'

/** How long a body may take, in seconds, unless told. */
export const BODY_SECONDS = 10

/** Whether a value is a time to wait for a body: more than 0 seconds, at most an hour. */
export function isBodySeconds(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 3600
}

interface Watch {
  timeoutSeconds?: number | undefined
  readonly judges: Map<object, () => Promise<void>>
}

const WATCHES: WeakMap<object, Watch> = new WeakMap()

function watchOf(source: object): Watch {
  const watch = WATCHES.get(source) ?? { judges: new Map() }
  WATCHES.set(source, watch)
  return watch
}

/** Have `judge` asked when a body of this request is whole: one for each auth. What it throws, the reader throws. */
export function recheckWithBody(source: object, auth: object, judge: () => Promise<void>): void {
  watchOf(source).judges.set(auth, judge)
}

/** Say how long a body of this request may take, for whoever reads it and says nothing else. */
export function limitBodyTime(source: object, timeoutSeconds: number): void {
  watchOf(source).timeoutSeconds = timeoutSeconds
}

/**
 * Read a body and have its caller judged once more before it is handed on. One that is too large is refused as it is.
 *
 * @param timeoutSeconds what the reader says, before what the adapter says
 * @param read reads it, and gives up after so many seconds
 */
export async function readWatched(
  source: object,
  timeoutSeconds: number | undefined,
  read: (seconds: number) => Promise<RequestBody>,
): Promise<RequestBody> {
  const body = await read(timeoutSeconds ?? WATCHES.get(source)?.timeoutSeconds ?? BODY_SECONDS)
  if (body.kind !== 'too_large') await recheckCallers(source)
  return body
}

/** Ask the judges of a request whose body is whole. */
export async function recheckCallers(source: object): Promise<void> {
  for (const judge of [...(WATCHES.get(source)?.judges.values() ?? [])]) await judge()
}

/**
 * Wait for a body, but not longer than this (RFC 9110 §15.5.9).
 *
 * @param giveUp ends the reading when the time is up
 * @throws AuthError `request_timeout`
 */
export function inTime<T>(seconds: number, reading: Promise<T>, giveUp: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(() => {
      reject(new AuthError('request_timeout', { reason: 'body_late' }))
      giveUp()
    }, seconds * 1000)
    reading.then(resolve, reject).finally(stop)
  })
}
