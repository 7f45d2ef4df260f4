/**
 * Everything the benchmark runs, in one folder: the peers as the lock file says, the package as this tree publishes it
 * beside them, and the benchmark's own programs, bundled. Not beside the sources: what reads the tree would read it all.
 */
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { installPeers, run } from '../install-peers.ts'
import { place, programs, root, sources } from './places.ts'

/** Install, build and bundle what a run needs. */
export async function install(progress: (doing: string) => void): Promise<void> {
  installPeers(sources, place, () => progress('installing the peers'))
  progress('building the package')
  buildPackage()
  await bundlePrograms()
}

// As it is published, but for the declarations, which nothing here reads: they take ten times as long as all else.
function buildPackage(): void {
  const tree = `${place}tree/`
  rmSync(tree, { recursive: true, force: true })
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsup.config.ts',
    'scripts',
    'src',
    'adapters',
  ]) {
    cpSync(root + name, tree + name, { recursive: true })
  }
  symlinkSync(`${root}node_modules`, `${tree}node_modules`)
  run(process.execPath, [`${root}node_modules/tsup/dist/cli-default.js`, '--no-dts', '--silent'], tree)
  const installed = `${place}node_modules/sallyport/`
  rmSync(installed, { recursive: true, force: true })
  for (const name of ['package.json', 'dist']) cpSync(tree + name, installed + name, { recursive: true })
}

// Bundled and not run by `tsx`, which names every function again whenever it is made. Packages stay imports.
async function bundlePrograms(): Promise<void> {
  rmSync(programs, { recursive: true, force: true })
  await build({
    entryPoints: ['section-process', 'http-server'].map((name) => `${sources}${name}.ts`),
    outdir: programs,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // Without its `paths`: the package is the built one.
    tsconfigRaw: {},
    plugins: [ownAddresses],
    logLevel: 'warning',
  })
}

// What a file finds by its own address lies beside its source.
const ownAddresses: Plugin = {
  name: 'own-addresses',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
    }))
  },
}
