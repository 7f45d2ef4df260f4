/** The apps of `examples/moving`, each started as a process of its own with its own environment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { installPeers } from '../install-peers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the two apps of a peer lie. */
export const examples: string = `${root}examples/moving/`

/** Which of the two: what was there, or what comes in its place. */
export type Side = 'before' | 'after'

const place = `${root}node_modules/.cache/moving/`
const programs = `${place}programs/`
const sourceOf = { before: 'before.js', after: 'after.ts' } as const

/** Install the peers, and bundle the apps of the named ones; packages stay imports, the package is this tree's source. */
export async function prepareApps(names: readonly string[]): Promise<void> {
  installPeers(examples, place)
  rmSync(programs, { recursive: true, force: true })
  await build({
    entryPoints: [
      { in: `${root}test/moving/serve.ts`, out: 'serve' },
      ...names.flatMap((name) =>
        Object.entries(sourceOf).map(([side, file]) => ({ in: `${examples}${name}/${file}`, out: `${name}/${side}` })),
      ),
    ],
    ...{ outdir: programs, outExtension: { '.js': '.mjs' }, absWorkingDir: root, tsconfig: `${root}tsconfig.json` },
    ...{ bundle: true, splitting: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
    logLevel: 'warning',
  })
}

/** A running app; `url` is `null` where it refused to start. */
export interface RunningApp {
  readonly url: string | null
  /** What it printed on standard error. */
  readonly printed: () => string
  stop(): Promise<void>
}

/** Start an app. */
export async function startApp(name: string, side: Side, env: Readonly<Record<string, string>>): Promise<RunningApp> {
  // supabase-js asks for the WebSocket that Node has from version 22 on.
  const flags = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-websocket'] : []
  const child = spawn(process.execPath, [...flags, `${programs}serve.mjs`, `${programs}${name}/${side}.mjs`], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
  })
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  const ended = once(child, 'close')
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const url = await Promise.race([line.then(([text]) => text), ended.then(() => null)])
  return { url, printed: () => printed, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdin?.end()
  await ended
}
