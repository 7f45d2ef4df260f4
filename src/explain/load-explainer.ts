/**
 * The words of `explain()` for whoever builds a service and has not wired it: loaded when a line is to be printed, from the
 * package's own folder, so that no bundle carries them. Hands on what makes lines, or nothing where they can't be had.
 */
import type { Decision } from '../context.ts'

/** What a line says of a refusal or a fault. */
export interface Explained extends Pick<Decision, 'outcome' | 'code' | 'reason' | 'expected' | 'got' | 'cause'> {
  /** Method and path, fit for a log; empty: not known. */
  readonly where: string
}

/** A refusal or a fault, just now. */
export interface Noticed extends Explained {
  /** What production says of a fault; `null`: a refusal. */
  readonly fault: string | null
  /** By the clock, in milliseconds. */
  readonly now: number
}

/** Makes the line of a refusal or a fault; `null`: there is none of a refusal that was said just now. */
export type Explainer = (noticed: Noticed) => string | null

/**
 * Load what makes the lines. It never rejects.
 * @returns `null` where the package lies in a bundle, or its files can't be had for another reason
 */
export async function loadExplainer(): Promise<Explainer | null> {
  // No bundler may follow it, or all that is said would be in every bundle; and beside a bundle nothing else has this name. By the
  // package's own name another version could be found, or, by a runtime that installs what is missing, somebody else's.
  const file = ['.', 'sallyport-explainer.js'].join('/')
  try {
    const loaded: unknown = await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ file)
    return (loaded as { readonly createNotice: () => Explainer }).createNotice()
  } catch {
    return null
  }
}
