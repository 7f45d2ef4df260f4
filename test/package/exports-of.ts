/** What each subpath exports, from source. Apart from the subpaths themselves: this takes the compiler, which is long to load. */
import { readFileSync } from 'node:fs'
import { type ExportedName, listExportedNames } from '../architecture/exported-names.ts'
import { root } from './entry-points.ts'

// The examples of the docstrings ask for the same ones by the hundred.
const listed = new Map<string, readonly ExportedName[]>()

/** List what an entry point exports. */
export function exportsOf(file: string): readonly ExportedName[] {
  const known = listed.get(file) ?? listExportedNames(file, (path) => readFileSync(root + path, 'utf8'))
  listed.set(file, known)
  return known
}
