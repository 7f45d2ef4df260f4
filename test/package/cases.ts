/** The programs of `test/regressions/cases`: each shows one fault that the library once had, on what is built. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { root } from './entry-points.ts'

const folder = `${root}test/regressions/cases/`

/** Those that take seconds: compilers, resets one after another, keys that grow old. */
export const LONG_CASES: readonly string[] = ['types-undefined.mjs', 'upgrade-reset.mjs', 'workers-refresh.mjs']

/** All others. */
export const QUICK_CASES: readonly string[] = readdirSync(folder).filter(
  (name) => name.endsWith('.mjs') && name !== 'lib.mjs' && !LONG_CASES.includes(name),
)

/** Run a case over a built tree: everything it printed, of which one line is `ok` or `fault`. */
export function runCase(name: string, tree: string): Promise<string> {
  const child = spawn(process.execPath, [folder + name, '--project', tree], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  return new Promise((resolve, reject) => child.once('error', reject).once('close', () => resolve(said)))
}
