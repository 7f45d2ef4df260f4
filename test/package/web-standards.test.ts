/** The pipeline that `npm run test:runtimes` takes through every runtime, here in a Node without what only Node has. */
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { root } from './entry-points.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()

beforeAll(() => {
  cpSync(join(root, 'scripts/runtimes'), packed.typed, { recursive: true })
})

const run = (...args: string[]): string =>
  execFileSync(process.execPath, args, {
    cwd: packed.typed,
    encoding: 'utf8',
    stdio: 'pipe',
    timeout: PATIENCE_MS,
  }).trim()

it('the pipeline passes in this Node, and ends by itself', () => {
  expect(run('print.mjs')).toMatch(/^smoke: ok, \d\d checks, Node \d+\.\d+\.\d+$/)
})

it('and without process, Buffer, setImmediate and timers that are objects', () => {
  const gone = `console.log(typeof process, typeof Buffer, typeof setImmediate, typeof setTimeout(() => {}, 0))`
  const preload = ['--import', './no-node-globals.mjs']
  expect(run(...preload, '--input-type=module', '-e', gone)).toBe('undefined undefined undefined number')
  // As a worker goes: logging in needs Node's own crypto.
  const authenticate = `import worker from './worker.mjs'; console.log(await (await worker.fetch()).text())`
  expect(run(...preload, '--input-type=module', '-e', authenticate)).toMatch(
    /^smoke: ok, \d\d checks, (Node\.js\/\d+|a runtime without a name)$/,
  )
})
