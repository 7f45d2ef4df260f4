/**
 * The token or header that the command was given: read as a route reads it, by the library's own extractor. Hands on the token
 * alone or why no route sees one, and what was left out of what was given.
 */
import { type AuthError, createAuth, isAuthError } from '../index.ts'
import type { Check } from './checks.ts'

/** What was given, read. */
export interface Given {
  /** What a route would verify; `null`: it verifies nothing. */
  readonly token: string | null
  /** Why it verifies nothing: the library's refusal; `null`: Node has answered before. */
  readonly refusal: AuthError | null
  /** What was left out. */
  readonly notes: readonly Check[]
}

/** Where it was given. */
export type GivenBy = 'header' | 'argument' | 'input'

// RFC 9110 §5.5: no header's value holds them, and Node's parser takes none.
const UNSENT = /[^\t -~\P{ASCII}]/u

/** Read it. */
export async function readGiven(given: string, by: GivenBy): Promise<Given> {
  // A file and `echo` end by one line break, which no shell takes away on standard input: of that nothing is said.
  const whole = by === 'input' ? given.replace(/\r?\n$/, '') : given
  const text = by === 'input' ? whole.replace(/^[\uFEFF\r\n]+|[\r\n]+$/g, '') : given
  const [bare, name] = [text.replace(/^[ \t]+|[ \t]+$/g, ''), by === 'header' ? 'header' : 'token']
  const isHeader = by === 'header' || /^authorization:/i.test(bare)
  const hasScheme = !isHeader && /^bearer /i.test(bare)
  const notes = [
    text === whole
      ? null
      : 'line breaks around it were left out: in a header Node answers them with 400, without a body',
    bare === text ? null : 'white space around it was left out, as HTTP does',
    hasScheme
      ? 'the word "Bearer" before it was taken for the scheme: a client that adds its own sends it twice'
      : null,
  ]
    .filter((says) => says !== null)
    .map((says): Check => ({ name, state: 'skipped', says }))
  if (UNSENT.test(bare)) return { token: null, refusal: null, notes }
  const line = isHeader ? bare.replace(/^authorization:[ \t]*/i, '') : hasScheme ? bare : `Bearer ${bare}`
  return { ...(await readHeader(line)), notes }
}

// As the library reads it: a route that hands its token to nobody.
async function readHeader(line: string): Promise<Pick<Given, 'token' | 'refusal'>> {
  let token: string | null = null
  const verify = async (seen: string): Promise<never> => {
    token = seen
    throw new Error('seen')
  }
  const lines = (name: string): readonly string[] => (name.toLowerCase() === 'authorization' ? [line] : [])
  const request = {
    ...{ method: 'GET', path: '/', source: {}, params: null, lines },
    ...{ remoteAddress: null, encrypted: true, upgrade: false },
    body: async () => ({ kind: 'bytes' as const, bytes: new Uint8Array() }),
  }
  try {
    await createAuth({ verifier: { verify }, onDecision: () => undefined }).authenticate(request, { needs: 'identity' })
  } catch (error) {
    if (token !== null) return { token, refusal: null }
    if (isAuthError(error)) return { token, refusal: error }
    throw error
  }
  return { token, refusal: null }
}
