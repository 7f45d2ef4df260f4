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

function keep(folder: string, path: fs.PathLike): boolean {
  if (typeof path !== 'string' || dirname(path) !== tmpdir() || !basename(path).startsWith('sallyport-')) return false
  try {
    fs.renameSync(path, join(folder, basename(path)))
    return true
  } catch {
    return false
  }
}
