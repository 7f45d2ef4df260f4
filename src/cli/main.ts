#!/usr/bin/env node
/** The command `sallyport`: hands the words of the command line to what they name, and sets the exit code. */
import { runCommand } from './sallyport.ts'
import { createTerminal, Failure } from './terminal.ts'

// What a config has opened and does not close must not keep the command from ending.
const LEFT_OPEN_MS = 500

const terminal = createTerminal(process)

// Whoever reads may leave before all is written (`| head`, `| grep -q`): the exit code stays what it would have been.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

runCommand(process.argv.slice(2), terminal).then(end, (error: unknown) => {
  terminal.complain(error)
  end(error instanceof Failure ? error.exitCode : 1)
})

function end(code: number): void {
  process.exitCode = code
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
}
