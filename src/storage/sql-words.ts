/**
 * What a SQL text does beside its rows: whether it begins or ends a transaction, and which settings it changes for longer
 * than one. Read from its statements' first words, behind comments and between strings, without a database.
 */

/** What is read of a text. */
export interface SqlReading {
  /** The statement that controls a transaction, by its first word in capitals. */
  readonly control: string | undefined
  readonly settings: readonly SettingChange[]
}

/** A setting that a text changes. */
export interface SettingChange {
  /** In lower case; `*` for one that can't be read, `all`, and `$1` … for one that is bound beside the text. */
  readonly name: string
  /** Whether for longer than the transaction. */
  readonly lasts: boolean
}

const CONTROL: readonly string[] = ['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release']
const SUSPECT =
  /(?<![\w$])(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|set|reset|discard|load|set_config)(?![\w$])/i
const NOTHING: SqlReading = { control: undefined, settings: [] }

/** Read a text; most have no suspicious word in them and cost one search. */
export function readSql(text: string): SqlReading {
  if (!SUSPECT.test(text)) return NOTHING
  const readings = [readStatements(text, false)]
  // Whether a backslash escapes a quote is a setting of the connection: both are tried.
  if (text.includes('\\')) readings.push(readStatements(text, true))
  return {
    control: readings.find(({ control }) => control !== undefined)?.control,
    settings: readings.flatMap(({ settings }) => settings),
  }
}

function readStatements(text: string, escapes: boolean): SqlReading {
  const settings: SettingChange[] = []
  let control: string | undefined
  for (const { words, calls, source } of statementsOf(text, escapes)) {
    const [first = '', second = ''] = words
    if (CONTROL.includes(first) || (first === 'prepare' && second === 'transaction')) control ??= first.toUpperCase()
    settings.push(...calls, ...settingsOf(words, source))
  }
  return { control, settings }
}

// In a block: a statement of it that sets beyond the transaction.
const SETS = /(?:[;$]|\b(?:begin|then|else|loop))\s*(?:set\s+(?!local\b|constraints\b)|reset\b)|\bset_config\b/i

function settingsOf([first, second, ...rest]: readonly string[], source: string): SettingChange[] {
  if (first === 'do') return SETS.test(source) ? [{ name: '*', lasts: true }] : []
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
  source: string
}

const HEAD = 6

function statementsOf(text: string, escapes: boolean): Statement[] {
  const statements: Statement[] = []
  let statement: Statement = { words: [], calls: [], source: '' }
  let began = 0
  let last = ''
  // Of a body whose statements are the function's own: BEGIN and CASE in it that have no END yet.
  let depth = 0
  const finish = (at: number): void => {
    statement.source = text.slice(began, at)
    if (statement.words.length > 0) statements.push(statement)
    statement = { words: [], calls: [], source: '' }
    began = at + 1
  }
  for (let at = 0; at < text.length; ) {
    const { kind, end } = tokenAt(text, at, escapes)
    const token = kind === 'word' ? text.slice(at, end).toLowerCase() : text[at] === '"' ? unquoted(text, at, end) : ''
    if (kind === 'sign' && text[at] === ';' && depth === 0) finish(at)
    else if (kind !== 'space') {
      if (statement.words.length < HEAD) statement.words.push(token === '' ? (text[at] ?? '') : token)
      if (token === 'set_config') statement.calls.push(...settingCall(text, end))
      if (kind === 'word') {
        if (depth > 0) depth += token === 'case' || token === 'begin' ? 1 : token === 'end' ? -1 : 0
        else if (opensBody(statement.words, last, token)) depth = 1
        last = token
      }
    }
    at = end
  }
  finish(text.length)
  return statements
}

function opensBody(words: readonly string[], last: string, token: string): boolean {
  const isAtomic = token === 'atomic' && last === 'begin'
  return isAtomic && words[0] === 'create' && (words.includes('function') || words.includes('procedure'))
}

function unquoted(text: string, at: number, end: number): string {
  return text.slice(at + 1, end - 1).toLowerCase()
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
  for (let at = from; at < text.length; ) {
    const { kind, end } = tokenAt(text, at, false)
    const sign = kind === 'sign' ? text[at] : ''
    if (sign === '(' || sign === '[') depth++
    if ((sign === ')' || sign === ',') && depth === 0) {
      found.push(text.slice(began, at))
      began = end
      if (sign === ')') break
    }
    if (sign === ')' || sign === ']') depth--
    at = end
  }
  return found
}

interface Token {
  readonly kind: 'space' | 'word' | 'string' | 'sign'
  readonly end: number
}

const SPACE = /[ \t\n\r\f\v]+|--[^\n\r]*/y
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
const NUMBER = /\$?\d[\w.]*/y
const TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y

function tokenAt(text: string, at: number, escapes: boolean): Token {
  const space = matchEnd(SPACE, text, at)
  if (space > at) return { kind: 'space', end: space }
  if (text.startsWith('/*', at)) return { kind: 'space', end: endOfComment(text, at) }
  const sign = text[at] ?? ''
  if (sign === "'") return { kind: 'string', end: endOfQuoted(text, at, escapes) }
  if (sign === '"') return { kind: 'string', end: endOfQuoted(text, at, false) }
  const tag = matchEnd(TAG, text, at)
  if (tag > at) {
    const end = text.indexOf(text.slice(at, tag), tag)
    return { kind: 'string', end: end < 0 ? text.length : end + tag - at }
  }
  const word = matchEnd(WORD, text, at)
  const isEscaped = word === at + 1 && /e/i.test(sign) && text[word] === "'"
  if (isEscaped) return { kind: 'string', end: endOfQuoted(text, word, true) }
  if (word > at) return { kind: 'word', end: word }
  return { kind: 'sign', end: Math.max(at + 1, matchEnd(NUMBER, text, at)) }
}

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

// A doubled quote is one inside.
function endOfQuoted(text: string, at: number, escapes: boolean): number {
  const quote = text[at]
  for (let index = at + 1; index < text.length; index++) {
    if (escapes && text[index] === '\\') index++
    else if (text[index] === quote) {
      if (text[index + 1] !== quote) return index + 1
      index++
    }
  }
  return text.length
}

// Comments nest.
function endOfComment(text: string, at: number): number {
  let depth = 1
  const mark = /\/\*|\*\//g
  mark.lastIndex = at + 2
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return text.length
}
