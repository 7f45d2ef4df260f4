/**
 * What is behind a fault, by what was thrown: a code, where a system could not be reached, and what to do about it. Never a
 * message but of the library's own errors: others may name values.
 */
import { toLogText } from '../lib/log-text.ts'
import { causesOf, describeCause, readError } from '../lib/standard-error.ts'

/** What is said of a fault. */
export interface FaultWords {
  /** What was thrown, in a few words. */
  readonly word: string
  /** What to do, where the code says it. */
  readonly next: string | null
}

/** Say what was thrown. `isPlaced`: with the addresses of what could not be reached. */
export function describeThrown(reason: string | null, cause: unknown, isPlaced: boolean): FaultWords {
  try {
    return wordsOf(reason, cause, isPlaced)
  } catch {
    // What is thrown may be anything, and say so itself by throwing.
    return { word: describeCause(cause), next: null }
  }
}

function wordsOf(reason: string | null, cause: unknown, isPlaced: boolean): FaultWords {
  const code = describeCause(cause)
  const missing = missingOf(cause)
  const places = isPlaced ? placesOf(cause) : []
  const word = [code, ...places, ...(missing === null ? [] : [missing])].join(' ')
  // What else a host asks may be away as well, and is no database.
  const known = reason === 'storage_unavailable' ? [...OF_QUERIES, ...OF_NETWORKS] : OF_QUERIES
  const next = reason === 'storage_unavailable' || reason === 'internal_error' ? known : []
  const said = next.find(([codes]) => codes.test(missing ?? code))?.[1] ?? ownSentenceOf(cause)
  const isHidden = !isPlaced && said !== null && placesOf(cause).length > 0
  return { word, next: isHidden ? `${said}; with \`onDecision: explain()\` this line names it` : said }
}

// Errors of the library say what is wrong with a call, and hold no value.
function ownSentenceOf(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null
  const { name, message } = cause
  if (name === 'OptionsError') return `host: ${toLogText(message)}`
  const own = /^sallyport: (.+)/.exec(message)?.[1]
  return name === 'Error' && own !== undefined ? `host: ${toLogText(own)}` : null
}

type Known = readonly (readonly [codes: RegExp, next: string])[]

// PostgreSQL, Prisma, MySQL (by number where Prisma asks it), SQLite.
const OF_QUERIES: Known = [
  [
    /^(?:42P01|42703|3F000|P2021|P2022|ER_NO_SUCH_TABLE|ER_BAD_FIELD_ERROR|1146|1054|no such .*)$/,
    'host: a table or a column is not there: run `npx sallyport migrate up`, or `await migrate(…)` before the server listens',
  ],
  [/^(?:28P01|28000|P1000|ER_ACCESS_DENIED_ERROR|1045)$/, 'host: the database refuses the user or the password'],
  [/^(?:3D000|P1003|ER_BAD_DB_ERROR|1049)$/, 'host: there is no database of this name: make it, or mend its name'],
  [/^(?:42501|ER_TABLEACCESS_DENIED_ERROR|1142)$/, 'host: the user of the database may not do that: grant it'],
  [/^22P02$/, 'host: an id has another form than its column: look at `idFormat` and at the types of the columns'],
]

const OF_NETWORKS: Known = [
  [/^(?:ECONNREFUSED|P1001)$/, 'host: nothing listens there: start the database, or mend its address'],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'host: no machine has this name: mend the address of the database'],
  [
    /^(?:E(?:TIMEDOUT|HOSTUNREACH|NETUNREACH|HOSTDOWN)|CONNECT_TIMEOUT)$/,
    'host: no answer from there: look at the address of the database, and at the network',
  ],
  [/^(?:53300|P2037|ER_CON_COUNT_ERROR|1040)$/, 'host: the database has no connection left: make the pools smaller'],
]

// SQLite has one code for whatever is wrong with a statement.
function missingOf(cause: unknown): string | null {
  const found = causesOf(cause).flatMap((each) => {
    const { code, message } = readError(each)
    return /SQLITE/.test(String(code)) ? (/\bno such (?:table|column)\b/.exec(String(message)) ?? []) : []
  })
  return found[0] ?? null
}

const MOST_PLACES = 2

// Of an error of the system, and of those of all addresses of a name: where it was, never by whom and with what.
function placesOf(cause: unknown): readonly string[] {
  const found = causesOf(cause).flatMap((each) => {
    const { syscall, address, port, hostname } = readError(each)
    const place = address ?? hostname
    if (typeof syscall !== 'string' || typeof place !== 'string' || !/^[\w.:%/-]{1,100}$/.test(place)) return []
    const host = place.includes(':') ? `[${place}]` : place
    return typeof port === 'number' ? [`${host}:${port}`] : [host]
  })
  return [...new Set(found)].slice(0, MOST_PLACES)
}
