/** What a command writes: aligned lines, colours where somebody looks at them, complaints that give away no secret. */

/** Something that ends a command with a sentence of our own and an exit code. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A cell of a table, with its colour. */
export type Cell = string | { readonly text: string; readonly colour: keyof typeof COLOURS }

/** Where a command writes and reads its environment. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
  print(text: string): void
  /** Print rows as columns of one width each. */
  printTable(rows: readonly (readonly Cell[])[]): void
  complain(error: unknown): void
}

const COLOURS = { green: 32, yellow: 33 } as const

/** The terminal of a process. Colours only on a terminal, and not where `NO_COLOR` is set. */
export function createTerminal({ stdout, stderr, env, cwd }: NodeJS.Process): Terminal {
  const colourful = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
  const paint = (cell: Cell, text: string): string =>
    colourful && typeof cell !== 'string' ? `\u001b[${COLOURS[cell.colour]}m${text}\u001b[39m` : text
  return {
    env,
    folder: cwd(),
    print: (text) => void stdout.write(`${text}\n`),
    printTable(rows) {
      for (const row of rows) {
        const cells = row.map((cell, column) => paint(cell, textOf(cell).padEnd(widthOf(rows, column))))
        stdout.write(`${cells.join('  ').trimEnd()}\n`)
      }
    },
    complain: (error) => void stderr.write(`${withoutUser(sentenceOf(error))}\n`),
  }
}

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)

function widthOf(rows: readonly (readonly Cell[])[], column: number): number {
  return Math.max(...rows.map((row) => textOf(row[column] ?? '').length))
}

// A driver may quote what it was given.
function withoutUser(text: string): string {
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
