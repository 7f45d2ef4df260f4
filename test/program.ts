/**
 * A script of ours as a program that Node runs by itself: put together from the source whenever a test file first asks for
 * it, so that it can't be an old one. It starts in a third of the time that `tsx` takes, and the tests start hundreds.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
// Inside the project, where the packages it imports are found.
const home = `${root}.data/programs`

// Files that stand beside a source are looked for beside the source.
const ownUrls: Plugin = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }))
  },
}

const programs = new Map<string, Promise<string>>()

/** The program of a script, by the script's path in this project; its own path. */
export function programOf(script: string): Promise<string> {
  const known = programs.get(script) ?? makeProgram(script)
  programs.set(script, known)
  return known
}

async function makeProgram(script: string): Promise<string> {
  mkdirSync(home, { recursive: true })
  const outdir = mkdtempSync(`${home}/`)
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
  await build({
    ...{ absWorkingDir: root, entryPoints: [script], outdir, outExtension: { '.js': '.mjs' } },
    ...{ bundle: true, splitting: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' },
    plugins: [ownUrls],
  })
  return `${outdir}/${basename(script, '.ts')}.mjs`
}
