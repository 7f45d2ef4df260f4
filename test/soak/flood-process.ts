/** The flood, from outside: started in a process of its own, and what became of it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from '../program.ts'
import type { FloodResult } from './report.ts'

/** A flood that runs. */
export interface Flood {
  /** `null`: it was ended. */
  readonly result: Promise<FloodResult | null>
  end(): Promise<void>
}

/** Start so many distinct bad inputs. */
export async function startFlood(requests: number): Promise<Flood> {
  const child = fork(await programOf('test/soak/flood.ts'), [String(requests)], {
    execArgv: ['--expose-gc'],
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // What a refusal means is said there, too; told is only what it ended with.
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4000)
  })
  let found: FloodResult | null = null
  child.on('message', (message: FloodResult) => {
    found = message
  })
  const ended = once(child, 'exit')
  return {
    result: ended.then(([code, signal]) => {
      if (found === null && signal === null) throw new Error(`the flood ended with ${code}: ${said}`)
      return found
    }),
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
