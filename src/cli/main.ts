#!/usr/bin/env node
/** The command `sallyport`: hands the words of the command line to what they name, and sets the exit code. */
import { runCommand } from './sallyport.ts'
import { createTerminal, Failure } from './terminal.ts'

// What a config has opened and does not close must not keep the command from ending.
const LEFT_OPEN_MS = 500

const terminal = createTerminal(process)

runCommand(process.argv.slice(2), terminal).then(end, (error: unknown) => {
  terminal.complain(error)
  end(error instanceof Failure ? error.exitCode : 1)
})

function end(code: number): void {
  process.exitCode = code
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
}
