/**
 * Packs the package once for this folder's tests: builds a copy of the tree, `npm pack`s it and installs the tarball
 * into an empty project, offline. A build that fails fails these tests and no others. Hands on where it all lies.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { TEST_PATIENCE_MS } from '../patience.ts'

/** What the setup hands to the tests. */
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
    packed: Packed
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsup.config.ts', 'src', 'adapters', 'scripts']
const TEXTS = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs']
/** The frameworks and their types, and the API of OpenTelemetry, as the repository has them. */
export const HOSTS: readonly string[] = ['express', 'koa', 'hono', '@hono', '@types', '@opentelemetry']

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pack-'))
  project.provide('packed', pack(folder))
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Build, pack and install below a folder. */
export function pack(folder: string): Packed {
  const [tree, bare, typed] = [join(folder, 'tree'), join(folder, 'bare'), join(folder, 'typed')]
  try {
    for (const name of [...INPUTS, ...TEXTS.filter((each) => existsSync(root + each))]) {
      cpSync(root + name, join(tree, name), { recursive: true, filter: (path) => !path.endsWith('node_modules') })
    }
    symlinkSync(`${root}node_modules`, join(tree, 'node_modules'))
    npm(tree, 'pack', '--pack-destination', folder)
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball')
    install(bare, tarball)
    cpSync(bare, typed, { recursive: true, verbatimSymlinks: true })
    for (const name of HOSTS) symlinkSync(`${root}node_modules/${name}`, join(typed, 'node_modules', name))
    return { failure: null, tarball, tree, bare, typed }
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string }
    return { failure: `${message}\n${stdout}`, tarball: '', tree, bare, typed }
  }
}

function install(folder: string, tarball: string): void {
  mkdirSync(folder)
  const dependencies = { sallyport: `file:${tarball}`, jose: `file:${root}node_modules/jose` }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund')
}

// The settings of the npm that runs the tests (its prefix above all) are not those of the projects made here.
function npm(cwd: string, ...args: string[]): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: 'pipe', timeout: TEST_PATIENCE_MS })
}
