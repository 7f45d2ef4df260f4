/** What a command writes: aligned lines of a screen's width, colours where somebody looks at them, complaints that give away no secret. */

/** Something that ends a command with a sentence of our own and an exit code. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A colour that a command has. */
export type Colour = keyof typeof COLOURS

/** A cell of a table, with its colour. */
export type Cell = string | { readonly text: string; readonly colour: Colour }

/** Where a command writes, reads its environment and asks the world. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
  /** How wide a line may be: at most 100, and 80 where nobody looks. */
  readonly columns: number
  readonly fetch: typeof fetch
  /** Milliseconds since 1970. */
  now(): number
  /** All of standard input. */
  readInput(): Promise<string>
  paint(colour: Colour, text: string): string
  print(text: string): void
  /** Print rows as columns of one width each. */
  printTable(rows: readonly (readonly Cell[])[]): void
  /** Print a line beside the result, on standard error. */
  remark(text: string): void
  complain(error: unknown): void
}

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const

const COLUMNS = 80
const MOST_COLUMNS = 100

const END_OF_INPUT = process.platform === 'win32' ? 'Ctrl-Z, Enter' : 'Ctrl-D'

/** Of a process what a terminal is made of. */
export type ProcessLike = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env' | 'cwd'>

/** The terminal of a process. Colours only on a terminal, and not where `NO_COLOR` is set. */
export function createTerminal({ stdin, stdout, stderr, env, cwd }: ProcessLike): Terminal {
  const colourful = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
  const paint = (colour: Colour, text: string): string =>
    colourful ? `\u001b[${COLOURS[colour]}m${text}\u001b[39m` : text
  const paintCell = (cell: Cell, text: string): string => (typeof cell === 'string' ? text : paint(cell.colour, text))
  return {
    env,
    folder: cwd(),
    columns: stdout.isTTY === true ? Math.min(stdout.columns || COLUMNS, MOST_COLUMNS) : COLUMNS,
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    async readInput() {
      // Nobody sees otherwise that it waits.
      if (stdin.isTTY) stderr.write(`Paste it, then press Enter and ${END_OF_INPUT}.\n`)
      let text = ''
      for await (const chunk of stdin.setEncoding('utf8')) text += String(chunk)
      return text
    },
    paint,
    print: (text) => void stdout.write(`${text}\n`),
    printTable(rows) {
      for (const row of rows) {
        const cells = row.map((cell, column) => paintCell(cell, textOf(cell).padEnd(widthOf(rows, column))))
        stdout.write(`${cells.join('  ').trimEnd()}\n`)
      }
    },
    remark: (text) => void stderr.write(`${text}\n`),
    complain: (error) => {
      const lines = withoutUser(sentenceOf(error)).split('\n')
      // Where nobody looks a sentence is one line, as programs read it.
      const shown = stderr.isTTY === true ? lines.flatMap((line) => wrapped(line, COLUMNS)) : lines
      stderr.write(`${shown.join('\n')}\n`)
    },
  }
}

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)

function widthOf(rows: readonly (readonly Cell[])[], column: number): number {
  return Math.max(...rows.map((row) => textOf(row[column] ?? '').length))
}

/** Break a text into lines of at most `width`, at spaces; what is longer than a line stays whole. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

// Indented lines are laid out already.
function wrapped(line: string, width: number): readonly string[] {
  return line.length <= width || line.startsWith(' ') ? [line] : wrap(line, width)
}

/** What a driver may quote of what it was given: a name and a password before an `@`. */
export function withoutUser(text: string): string {
  return text.replace(/\/\/[^\s'"]*@/g, '//')
}

// A connection that was refused on every address has no message of its own.
function sentenceOf(error: unknown): string {
  if (error instanceof Failure) return error.message
  if (!(error instanceof Error)) return `sallyport: ${String(error)}`
  const { code } = error as { code?: unknown }
  const inner = error.cause instanceof Error && error.cause.message !== '' ? `: ${error.cause.message}` : ''
  return `sallyport: ${error.message || String(code ?? error.name)}${inner}`
}
