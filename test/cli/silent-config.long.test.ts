/** The command `sallyport doctor` with a config that waits for what never comes: twenty seconds, and it gives up. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, it } from 'vitest'
import { programOf } from '../program.ts'

const main = await programOf('src/cli/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-silent-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each([
  ['nothing is open', ''],
  ['something stays open', 'setInterval(() => {}, 1000)\n'],
])('a config that never ends, where %s: exit code 3, one line', async (_, before) => {
  const config = join(folder, `config-${before.length}.mjs`)
  writeFileSync(config, `${before}await new Promise(() => {})\nexport const storage = {}\n`)
  const child = spawn(process.execPath, [main, 'doctor', '--config', config])
  const [ended, said] = [once(child, 'close'), text(child.stderr)]
  expect([await ended, await said]).toEqual([
    [3, null],
    'sallyport doctor: the config is not loaded within 20 seconds: what does it wait for?\n',
  ])
})
