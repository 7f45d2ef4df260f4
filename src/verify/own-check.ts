/** The host's own check of whoever was verified: `true` lets in, `false` doesn't, and anything else is no answer. */

/**
 * Ask the check, and wait for it. What it throws passes through.
 *
 * @param name what to call it in the error
 * @throws Error where it answers anything but `true` or `false`: a function that forgets to answer must let nobody in
 */
export async function passesCheck<T>(name: string, check: (value: T) => unknown, value: T): Promise<boolean> {
  const answer = await check(value)
  if (typeof answer === 'boolean') return answer
  throw new Error(
    `sallyport: ${name}: option "check" must answer true or false, not ${answer === null ? null : typeof answer}`,
  )
}
