/** What the command `sallyport` knows: its commands by name, its help, and the nearest name where there is none of that name. */
import { createRequire } from 'node:module'
import { didYouMean } from './arguments.ts'
import { DOCTOR_USAGE, doctorCommand } from './doctor.ts'
import { INSPECT_USAGE, inspectCommand } from './inspect.ts'
import { KEYS_USAGE, keysCommand } from './keys.ts'
import { MIGRATE_USAGE, migrateCommand } from './migrate.ts'
import { Failure, type Terminal } from './terminal.ts'

type Run = (args: readonly string[], terminal: Terminal) => Promise<number>

interface Command {
  readonly run: Run
  /** The exit code where something else went wrong. */
  readonly faultCode: number
  readonly usage: string
}

const COMMANDS: Readonly<Record<string, Command>> = {
  inspect: { faultCode: 3, run: inspectCommand, usage: INSPECT_USAGE },
  doctor: { faultCode: 3, run: doctorCommand, usage: DOCTOR_USAGE },
  keys: { faultCode: 3, run: keysCommand, usage: KEYS_USAGE },
  migrate: { faultCode: 1, run: migrateCommand, usage: MIGRATE_USAGE },
}

const USAGE = `Usage: sallyport <command> [options]

Commands:
  inspect   say why a token would pass or not, check by check
  doctor    ask issuers, keys, database and migrations, and say what would
            refuse whom
  keys      make signing secrets, key pairs, API keys and service secrets
  migrate   make the tables of a database, or bring them up to date

  sallyport help <command>   tells more
  sallyport --version        says which this is`

/** Run the command that the words name; its exit code. */
export async function runCommand([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === '--version') {
    // Its own package, by name: the same from the source and from the build.
    const { version } = createRequire(import.meta.url)('sallyport/package.json') as { version: string }
    terminal.print(version)
    return 0
  }
  if (name === undefined) throw new Failure(USAGE, 2)
  if (name === '--help' || name === '-h' || name === 'help') {
    const [about] = args
    terminal.print(about === undefined ? USAGE : commandOf(about).usage)
    return 0
  }
  const { run, faultCode } = commandOf(name)
  try {
    return await run(args, terminal)
  } catch (error) {
    if (error instanceof Failure) throw error
    terminal.complain(error)
    return faultCode
  }
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command !== undefined) return command
  // What is no word may be a token that somebody has put there.
  const shown = /^-{0,2}[a-z]{1,20}$/i.test(name) ? `"${name}"` : 'of that name'
  throw new Failure(`sallyport: there is no command ${shown}${didYouMean(name, Object.keys(COMMANDS))}\n\n${USAGE}`, 2)
}
