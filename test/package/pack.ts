/**
 * Packs the package once for this folder's tests: builds a copy of the tree, `npm pack`s it and installs the tarball
 * into an empty project, offline. It takes many seconds: it begins before all tests, and those of other folders run meanwhile. A
 * build that fails fails these tests and no others.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { openDesk } from '../desk.ts'
import { TEST_PATIENCE_MS } from '../patience.ts'

/** What was packed, and where it lies. */
export interface Packed {
  /** Why there is nothing to test, or `null`. */
  readonly failure: string | null
  readonly tarball: string
  /** The copy it was built from: `dist`, and the repository's development packages. */
  readonly tree: string
  /** A project with the tarball and `jose` installed: no peer, no types. */
  readonly bare: string
  /** The same with the frameworks and their types beside it. */
  readonly typed: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for what was packed: `packed.ts`. */
    packedDesk: string
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsup.config.ts', 'src', 'adapters', 'scripts']
const TEXTS = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs']
/** The frameworks and their types, and the API of OpenTelemetry, as the repository has them. */
export const HOSTS: readonly string[] = ['express', 'koa', 'hono', '@hono', '@types', '@opentelemetry']

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pack-'))
  const packing = pack(folder)
  const desk = await openDesk(async () => JSON.stringify(await packing))
  project.provide('packedDesk', desk.url)
  return async () => {
    desk.close()
    await packing
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Build, pack and install below a folder. */
export async function pack(folder: string): Promise<Packed> {
  const [tree, bare, typed] = [join(folder, 'tree'), join(folder, 'bare'), join(folder, 'typed')]
  try {
    for (const name of [...INPUTS, ...TEXTS.filter((each) => existsSync(root + each))]) {
      cpSync(root + name, join(tree, name), { recursive: true, filter: (path) => !path.endsWith('node_modules') })
    }
    symlinkSync(`${root}node_modules`, join(tree, 'node_modules'))
    await npm(tree, 'pack', '--pack-destination', folder)
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball')
    await install(bare, tarball)
    cpSync(bare, typed, { recursive: true, verbatimSymlinks: true })
    for (const name of HOSTS) symlinkSync(`${root}node_modules/${name}`, join(typed, 'node_modules', name))
    return { failure: null, tarball, tree, bare, typed }
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string }
    return { failure: `${message}\n${stdout}`, tarball: '', tree, bare, typed }
  }
}

async function install(folder: string, tarball: string): Promise<void> {
  mkdirSync(folder)
  const dependencies = { sallyport: `file:${tarball}`, jose: `file:${root}node_modules/jose` }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  await npm(folder, 'install', '--offline', '--no-audit', '--no-fund')
}

// The settings of the npm that runs the tests (its prefix above all) are not those of the projects made here.
async function npm(cwd: string, ...args: string[]): Promise<void> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  await promisify(execFile)('npm', args, { cwd, env, encoding: 'utf8', maxBuffer: 1e8, timeout: TEST_PATIENCE_MS })
}
