/** The address of somebody who logs in for the first time and crashes. */

/** Make an address of a subject. */
export function emailOf(subject: string): string {
  return `${subject.replace(/[^a-z0-9]+/g, '-')}@example.test`
}
