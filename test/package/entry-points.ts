/** The package's subpaths as the repository states them: the one list of names that build, tests and tsx share. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** A subpath: its import specifier (`sallyport/express`), the name of its built file, its source file. */
export interface EntryPoint {
  readonly specifier: string
  readonly name: string
  readonly file: string
}

/** The subpaths of the repository at `root`, in the order of its `tsconfig.json`. */
export function listEntryPoints(root: string): EntryPoint[] {
  const { compilerOptions } = JSON.parse(readFileSync(`${root}tsconfig.json`, 'utf8')) as {
    compilerOptions: { paths: Record<string, [string]> }
  }
  return Object.entries(compilerOptions.paths).map(([specifier, [file]]) => ({
    specifier,
    name: specifier.split('/')[1] ?? 'index',
    file: file.replace('./', ''),
  }))
}

/** The subpaths of this repository. */
export const entryPoints: readonly EntryPoint[] = listEntryPoints(root)
