/** Prisma itself, as its lock file says: the example's client generated without a network, and loaded with what uses it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPeers } from '../install-peers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const place = `${root}node_modules/.cache/query-builders/`

/** The example beside its client. */
export interface PrismaExample {
  /** Where it lies, with a slash at its end. */
  readonly path: string
  load<T>(name: string): Promise<T>
  /** What the compiler says of it, with Prisma's own types; `''`: nothing. */
  compile(): string
  remove(): void
}

/** Install Prisma, and generate the client of `examples/prisma`. */
export function openPrismaExample(): PrismaExample {
  installPeers(fileURLToPath(new URL('.', import.meta.url)), place)
  const parent = `${root}.data/prisma/`
  mkdirSync(parent, { recursive: true })
  const path = `${mkdtempSync(parent)}/`
  cpSync(`${root}examples/prisma/`, path, { recursive: true })
  symlinkSync(`${place}node_modules`, `${path}node_modules`)
  const run = (script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void => {
    execFileSync(process.execPath, [script, ...args], { cwd: path, env: { ...process.env, ...env }, stdio: 'pipe' })
  }
  // Only migrations ask the engine that would be loaded from the network.
  const engine = `${path}no-engine.sh`
  writeFileSync(engine, '#!/bin/sh\nexit 1\n')
  chmodSync(engine, 0o755)
  run(`${place}node_modules/prisma/build/index.js`, ['generate', '--schema', 'schema.prisma', '--no-hints'], {
    PRISMA_SCHEMA_ENGINE_BINARY: engine,
    CHECKPOINT_DISABLE: '1',
  })
  return {
    path,
    load: <T>(name: string) => import(`${path}${name}`) as Promise<T>,
    compile() {
      const compilerOptions = { rootDir: root, isolatedDeclarations: false, declaration: false }
      const config = { extends: `${root}tsconfig.json`, compilerOptions, include: ['*.ts'], exclude: [] }
      writeFileSync(`${path}tsconfig.json`, JSON.stringify(config))
      try {
        run(`${root}node_modules/typescript/bin/tsc`, ['-p', path])
        return ''
      } catch (error) {
        return String((error as { stdout?: unknown }).stdout)
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
