/** In each worker: a folder that a test removes is moved to where it is searched at the end of the run. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

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
}

/** Keep the title of a test: it is printed only where the test was slow or failed, and a secret in it must not depend on that. */
export function keepTitle(title: string): void {
  if (leavings !== undefined) fs.appendFileSync(join(leavings, 'titles of the tests'), `${title}\n`)
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
