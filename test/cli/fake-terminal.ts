/** The command in this process: a terminal that keeps what is printed, so that many of its answers can be asked for at once. */
import { runCommand } from '../../src/cli/sallyport.ts'
import { createTerminal, Failure, type Terminal } from '../../src/cli/terminal.ts'

/** What became of a command. */
export interface Ending {
  readonly code: number
  readonly out: string
  readonly complaint: string
}

/** Where a command runs. */
export interface Setting {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly fetch?: typeof fetch
  readonly now?: number
  readonly folder?: string
  /** Whether somebody looks, on a screen of 80 columns. */
  readonly isTTY?: boolean
}

/** Run the command with these words. */
export async function sallyport(words: readonly string[], setting: Setting = {}): Promise<Ending> {
  const written: Readonly<Record<'out' | 'complaint', string[]>> = { out: [], complaint: [] }
  const { env = {}, input = '', isTTY = false, folder = process.cwd() } = setting
  const own: Terminal = createTerminal({
    stdin: process.stdin,
    stdout: { isTTY, columns: 80, write: (text: string) => written.out.push(text) > 0 } as never,
    stderr: { write: (text: string) => written.complaint.push(text) > 0 } as never,
    env,
    cwd: () => folder,
  })
  const terminal: Terminal = {
    ...own,
    readInput: async () => input,
    fetch: setting.fetch ?? own.fetch,
    now: () => setting.now ?? own.now(),
  }
  const ending = (code: number): Ending => ({ code, out: written.out.join(''), complaint: written.complaint.join('') })
  try {
    return ending(await runCommand(words, terminal))
  } catch (error) {
    terminal.complain(error)
    return ending(error instanceof Failure ? error.exitCode : 99)
  }
}
