/** Ids that no storage holds: of the wrong form, too long, made to break queries or look-ups by name. */
import { expectThat, settled, show } from './expectations.ts'

const HOSTILE: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\n',
  'x'.repeat(10_240),
  '🦊',
  '\ud83e',
  'a\udd8a',
  "'",
  '"',
  '`',
  '\\',
  '%',
  '_',
  '$1',
  "' OR '1'='1",
  "'; DROP TABLE users; --",
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'not-a-uuid',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e309',
  '9'.repeat(40),
  '../../etc/passwd',
  '{"$ne":null}',
  '00000000-0000-0000-0000-00000000000g',
]

/** Hostile ids; with `near`, an id that exists, also ones that a careless storage takes for it. */
export function hostileIds(near?: string): readonly string[] {
  if (near === undefined) return HOSTILE
  return [...HOSTILE, `${near}\0`, `${near}\0x`, `${near} `, ` ${near}`, `${near}\n`, `${near}'--`, `${near}x`]
}

/** Call a look-up with each hostile id: each must answer `nothing`, none may throw. */
export async function expectNothing(
  what: string,
  ids: readonly string[],
  find: (id: string) => Promise<unknown>,
  nothing: (got: unknown) => boolean = (got) => got === null,
): Promise<void> {
  for (const id of ids) {
    const result = await settled(find(id))
    const sentence = `${what} to find nothing for the id ${show(id)}`
    expectThat(result.status === 'fulfilled', sentence, result.status === 'rejected' ? result.reason : undefined)
    expectThat(nothing(result.value), sentence, result.value)
  }
}
