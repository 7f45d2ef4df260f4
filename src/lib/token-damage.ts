/** What may not stand in a token and does: by its name, never a part of the token. */

// The likeliest to be the cause first: a quoted token may hold anything.
const SIGNS: Readonly<Record<string, string>> = {
  'earer ': 'the word Bearer',
  '"': 'quotes',
  "'": 'quotes',
  '%': 'percent signs',
  ',': 'a comma',
  ' ': 'white space',
  '\t': 'white space',
  '\\': 'backslashes',
  '=': 'padding',
}

/** Name what does not belong into a token, for a log; left out: nothing of these is in it. */
export function describeDamage(token: string): string | undefined {
  return SIGNS[Object.keys(SIGNS).find((sign) => token.includes(sign)) ?? '']
}
