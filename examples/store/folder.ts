/** The folder an example keeps its files in. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Make a folder and those above it. Node's own way of doing so never ends where one that is there takes no other, as /proc. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
