/** Programs of recipes as real processes, each on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { freePort } from '../free-port.ts'
import { TEST_PATIENCE_MS, until } from '../patience.ts'

/** A program that listens. */
export interface Program {
  readonly url: string
  /** What it printed so far. */
  output(): string
  stop(): Promise<void>
}

/** Start one with `PORT` set, and wait until it answers. It ends by itself where its tests have died. */
export async function start(
  command: readonly [file: string, ...args: string[]],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<Program> {
  const port = await freePort()
  const [file, ...args] = command.map((word) => word.replace('$PORT', String(port))) as [string, ...string[]]
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment, PORT: String(port) }
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 4 * TEST_PATIENCE_MS })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => lines.push(String(chunk)))
  const output = (): string => lines.join('')
  const url = `http://127.0.0.1:${port}`
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended:\n${output()}`)
    return fetch(url).then(
      () => true,
      () => false,
    )
  })
  return { url, output, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
