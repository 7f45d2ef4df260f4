/**
 * What a SQL text does beside its rows: whether it begins or ends a transaction, which settings it changes for longer than one,
 * and whether it makes something that its connection keeps. Read from its statements' first words, behind comments and between
 * strings, without a database.
 */

/** A setting that a text changes. */
interface SettingChange {
  /**
   * In lower case; `*` for one that can't be read, and for what is no setting but stays with the connection as one does, `all`, and
   * `$1` … for one that is bound beside the text.
   */
  readonly name: string
  /** Whether for longer than the transaction. */
  readonly lasts: boolean
}

const CONTROL: readonly string[] = ['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release']
const SUSPECT =
  /(?<![\w$])(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|set|reset|discard|load|set_config|temp|temporary|pg_temp|hold)(?![\w$])/i

/**
 * Read a text: the statement that controls a transaction, by its first word in capitals, and the settings that are changed.
 * Most have no suspicious word in them and cost one search.
 */
export function readSql(text: string): {
  readonly control: string | undefined
  readonly settings: readonly SettingChange[]
} {
  if (!SUSPECT.test(text)) return { control: undefined, settings: [] }
  // Whether a backslash escapes a quote is a setting of the connection: both are tried.
  const statements = statementsOf(text, false).concat(text.includes('\\') ? statementsOf(text, true) : [])
  return {
    control: statements.map(({ words }) => controlOf(words)).find((word) => word !== undefined),
    settings: statements.flatMap((statement) => [...statement.calls, ...settingsOf(statement)]),
  }
}

function controlOf([first = '', second]: readonly string[]): string | undefined {
  const controls = CONTROL.includes(first) || (first === 'prepare' && second === 'transaction')
  return controls ? first.toUpperCase() : undefined
}

// In a block: a statement of it that sets beyond the transaction.
const SETS = /(?:[;$]|\b(?:begin|then|else|loop))\s*(?:set\s+(?!local\b|constraints\b)|reset\b)|\bset_config\b/i

// Rows that were read in a scope are anybody's there: of a temporary table, which hides others of its name, of a cursor that is held.
const STAYS =
  /^declare .*with hold for |create (?:or replace )?(?:(?:local|global) )?temp(?:orary)? |create (?!index |unique )(?:[a-z]+ ){1,5}pg_temp |(?<!(?:insert|merge) )into (?:(?:local|global) )?(?:temp(?:orary)? |(?:table )?pg_temp )/
const STAYS_OF_BLOCK = /\bcreate\s+(?:(?:local|global)\s+)?temp(?:orary)?\b/i
const DROPPED = /\bon\s+commit\s+drop\b/i

function stays({ words: [first], outline, source }: Statement): boolean {
  return first === 'do'
    ? SETS.test(source) || (STAYS_OF_BLOCK.test(source) && !DROPPED.test(source))
    : STAYS.test(outline) && !DROPPED.test(outline)
}

function settingsOf(statement: Statement): SettingChange[] {
  const [first, second, ...rest] = statement.words
  if (stays(statement)) return [{ name: '*', lasts: true }]
  if (first === 'discard' || first === 'load') return [{ name: second === 'all' ? 'all' : '*', lasts: true }]
  if (first === 'reset') return [{ name: settingName([second, ...rest]), lasts: true }]
  if (first !== 'set' || second === 'transaction' || second === 'constraints') return []
  const lasts = second !== 'local'
  return [{ name: settingName(lasts && second !== 'session' ? [second, ...rest] : rest), lasts }]
}

const SHORT_FORMS: Readonly<Record<string, string>> = {
  authorization: 'session_authorization',
  time: 'timezone',
  schema: 'search_path',
  names: 'client_encoding',
  characteristics: '*',
}

function settingName([first = '*', second, third]: readonly (string | undefined)[]): string {
  // SET SESSION AUTHORIZATION, and a setting whose name is `session`, which there is none of.
  if (first === 'session') return SHORT_FORMS[second ?? ''] ?? '*'
  return second === '.' ? `${first}.${third ?? ''}` : (SHORT_FORMS[first] ?? first)
}

interface Statement {
  /** Its first words and signs, in lower case, without comments. */
  readonly words: string[]
  /** What its calls of set_config change. */
  readonly calls: SettingChange[]
  /** All its words and signs, in lower case, with a space after each: `"` for strings and quoted names, no comments. */
  outline: string
  source: string
}

const HEAD = 6

function statementsOf(text: string, escapes: boolean): Statement[] {
  const statements: Statement[] = []
  let statement: Statement = { words: [], calls: [], outline: '', source: '' }
  let began = 0
  let last = ''
  // Of a body whose statements are the function's own: BEGIN and CASE in it that have no END yet.
  let depth = 0
  const finish = (at: number): void => {
    statement.source = text.slice(began, at)
    if (statement.words.length > 0) statements.push(statement)
    statement = { words: [], calls: [], outline: '', source: '' }
    began = at + 1
  }
  for (const { kind, token, end } of tokensOf(text, 0, escapes)) {
    if (kind === 'sign' && token === ';' && depth === 0) {
      finish(end - 1)
      continue
    }
    if (statement.words.length < HEAD) statement.words.push(token)
    statement.outline += `${kind === 'quoted' && token !== 'pg_temp' ? '"' : token} `
    if (token === 'set_config') statement.calls.push(...settingCall(text, end))
    if (kind !== 'word') continue
    if (depth > 0) depth += DEPTHS.get(token) ?? 0
    else if (token === 'atomic' && last === 'begin' && definesRoutine(statement.words)) depth = 1
    last = token
  }
  finish(text.length)
  return statements
}

const DEPTHS: ReadonlyMap<string, number> = new Map(Object.entries({ case: 1, begin: 1, end: -1 }))

function definesRoutine(words: readonly string[]): boolean {
  return words[0] === 'create' && (words.includes('function') || words.includes('procedure'))
}

// set_config(name, value, true) ends with the transaction; every other call may not.
function settingCall(text: string, from: number): SettingChange[] {
  const open = /\s*\(/y
  open.lastIndex = from
  if (!open.test(text)) return []
  const [argument = '', ...more] = argumentsFrom(text, open.lastIndex)
  const [, quoted, bound] = /^\s*(?:'([\w.]+)'|(\$\d+))(?:\s*::\s*\w+)?\s*$/.exec(argument) ?? []
  return [{ name: quoted?.toLowerCase() ?? bound ?? '*', lasts: !/^\s*true\s*$/i.test(more.at(-1) ?? '') }]
}

function argumentsFrom(text: string, from: number): string[] {
  const found: string[] = []
  let depth = 0
  let began = from
  for (const { kind, token, end } of tokensOf(text, from, false)) {
    if (kind !== 'sign') continue
    if (depth === 0 && (token === ')' || token === ',')) {
      found.push(text.slice(began, end - 1))
      began = end
      if (token === ')') break
    }
    if (token === '(' || token === '[') depth++
    if (token === ')' || token === ']') depth--
  }
  return found
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'sign'
  /** A word in lower case, as a quoted name between its quotes; of anything else the first sign. */
  readonly token: string
  readonly end: number
}

const TOKEN =
  /([ \t\n\r\f\v]+|--[^\n\r]*)|(\/\*|e?'|"|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|([a-z_\u0080-\uffff][\w$\u0080-\uffff]*)|\$?\d[\w.]*|./isy

// All but blanks and comments.
function* tokensOf(text: string, from: number, escapes: boolean): Generator<Token> {
  for (let at = from, end = from; at < text.length; at = end) {
    TOKEN.lastIndex = at
    const [, space, opening, word] = TOKEN.exec(text) ?? []
    end = opening === undefined ? TOKEN.lastIndex : endOf(text, TOKEN.lastIndex, opening, escapes)
    if (space !== undefined || opening === '/*') continue
    const name = opening === '"' ? text.slice(at + 1, end - 1) : (word ?? '')
    const kind = opening === undefined ? 'sign' : 'quoted'
    yield { kind: word === undefined ? kind : 'word', token: name.toLowerCase() || text.charAt(at), end }
  }
}

// What counts on the way to the end of what a sign opens: a doubled quote is one inside, comments nest.
const MARKS: Readonly<Record<string, RegExp>> = {
  '/*': /\/\*|\*\//g,
  '"': /""|"/g,
  "'": /''|'/g,
  "e'": /\\.|''|'/gs,
}
const CLOSING: readonly string[] = ["'", '"', '*/']

function endOf(text: string, from: number, opening: string, escapes: boolean): number {
  const marks = MARKS[escapes && opening === "'" ? "e'" : opening.toLowerCase()]
  if (marks === undefined) {
    const end = text.indexOf(opening, from)
    return end < 0 ? text.length : end + opening.length
  }
  let depth = 1
  marks.lastIndex = from
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    if (found[0] === '/*') depth++
    if (CLOSING.includes(found[0])) depth--
    if (depth === 0) return marks.lastIndex
  }
  return text.length
}
