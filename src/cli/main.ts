#!/usr/bin/env node
/** The command `sallyport`: reads the command line, hands it to the command that it names, and sets the exit code. */
import { createRequire } from 'node:module'
import { migrateCommand } from './migrate.ts'
import { createTerminal, Failure } from './terminal.ts'

const USAGE = `Usage: sallyport <command>

Commands:
  migrate   make the tables of a database, or bring them up to date

sallyport <command> --help tells more; sallyport --version says which this is.`

const terminal = createTerminal(process)

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === 'migrate') return migrateCommand(args, terminal)
  if (command === '--help' || command === 'help') {
    terminal.print(USAGE)
    return 0
  }
  if (command === '--version') {
    // Its own package, by name: the same from the source and from the build.
    const { version } = createRequire(import.meta.url)('sallyport/package.json') as { version: string }
    terminal.print(version)
    return 0
  }
  throw new Failure(command === undefined ? USAGE : `sallyport: there is no command "${command}"\n\n${USAGE}`, 2)
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    terminal.complain(error)
    process.exitCode = error instanceof Failure ? error.exitCode : 1
  },
)
