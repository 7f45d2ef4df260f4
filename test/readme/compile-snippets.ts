/** What a compiler says of the pages' snippets and of the examples of the docstrings. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { root } from '../package/entry-points.ts'
import { examples } from './examples.ts'
import { printedFiles, snippets } from './snippets.ts'

// What a host's own code need not be.
const SETTINGS = { isolatedDeclarations: false, declaration: false, noPropertyAccessFromIndexSignature: false }

// Of examples, which show a value and do nothing with it: what is declared and not used, a way that ends without a value.
const LEFT_OPEN = /\.example\.ts\(\d+,\d+\): error TS(?:6133|6192|6196|6198|7030): /

/** Compile them, and the sources they are of, under the repository's settings; its complaints. `folder` holds the snippets. */
export function compileSnippets(folder: string, compiler: 'typescript' | '@typescript/native'): string[] {
  for (const { name, code } of examples) writeFileSync(`${folder}${name}`, code)
  const written = [...snippets, ...examples].map(({ name }) => `${folder}${name}`)
  const beside = ['cors.d.ts', 'examples.d.ts'].map((name) => fileURLToPath(new URL(name, import.meta.url)))
  // Of the recipes those that need no framework: the others are compiled beside it, where they run.
  const recipes = ['fetch', 'bun', 'next/app/api/me/route'].map((name) => `${root}examples/recipes/${name}.ts`)
  const moved = printedFiles.flatMap(({ name }) => (/^examples\/moving\/.*\.ts$/.test(name) ? `${root}${name}` : []))
  const files = [...written, ...recipes, ...moved, ...beside]
  const config = { extends: `${root}tsconfig.json`, compilerOptions: SETTINGS, include: [], files }
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify(config))
  return compile(compiler, `${folder}tsconfig.json`).filter((complaint) => !LEFT_OPEN.test(complaint))
}

/** Compile a project by one of the repository's compilers; its complaints. */
export function compile(compiler: string, project: string): string[] {
  const args = [`${root}node_modules/${compiler}/bin/tsc`, '--noEmit', '--pretty', 'false', '-p', project]
  const { error, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 })
  // A further line of a complaint is indented.
  const complaints = stdout.split(/\n(?=\S)/).filter((text) => text !== '')
  if (error !== undefined || stderr !== '' || (status === 0) !== (complaints.length === 0)) {
    throw new Error(`${compiler} ended with ${status}: ${error ?? stderr}`)
  }
  return complaints
}
