/**
 * In each worker: a folder that a test removes is moved to where it is searched at the end of the run. So is the title of
 * every test: it is printed only where the test was slow or failed, and a secret in it must not depend on that.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { beforeEach } from 'vitest'

const leavings = process.env['SALLYPORT_LEAVINGS']

if (leavings !== undefined) {
  const { rmSync } = fs
  const { rm } = fs.promises
  fs.rmSync = (path, options) => {
    if (!keep(leavings, path)) rmSync(path, options)
  }
  fs.promises.rm = async (path, options) => {
    if (!keep(leavings, path)) await rm(path, options)
  }
  syncBuiltinESMExports()
  beforeEach(({ task }) => fs.appendFileSync(join(leavings, 'titles of the tests'), `${task.fullTestName}\n`))
}

function keep(folder: string, path: fs.PathLike): boolean {
  if (typeof path !== 'string' || dirname(path) !== tmpdir() || !basename(path).startsWith('sallyport-')) return false
  try {
    fs.renameSync(path, join(folder, basename(path)))
    return true
  } catch {
    return false
  }
}
