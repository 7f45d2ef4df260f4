/** What was once broken, and takes a while to see: each program says `ok` over the build. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LONG_CASES, runCase } from './cases.ts'
import { root } from './entry-points.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()

/** Whether the worker runtime is here, or npm can fetch the version that `test:runtimes` names. */
function hasWorkerd(): boolean {
  if (process.env['WORKERD'] !== undefined) return true
  const [version = ''] = /workerd@[\d.]+/.exec(readFileSync(`${root}scripts/runtimes.ts`, 'utf8')) ?? []
  const asked = spawnSync('npx', ['-y', '-p', version, 'workerd', '--version'], { encoding: 'utf8', timeout: 120_000 })
  return asked.status === 0
}

for (const name of LONG_CASES) {
  it(name, async ({ skip }) => {
    if (name.startsWith('workers') && !hasWorkerd()) {
      console.warn(`NOT RUN: ${name} needs workerd, which is neither at WORKERD nor to be had from npm`)
      skip('no workerd')
    }
    expect(await runCase(name, packed.tree)).toMatch(/^ok$/m)
  })
}
