/** The apps of `examples/moving`, each started as a process of its own with its own environment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { freePort } from '../free-port.ts'
import { installPeers } from '../install-peers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const examples = `${root}examples/moving/`
const place = `${root}node_modules/.cache/moving/`
const programs = `${place}programs/`

/** Install the peers, and bundle the apps of the named guides; packages stay imports, ours is this tree's source. */
export async function prepareApps(guides: readonly string[]): Promise<void> {
  installPeers(examples, place)
  rmSync(programs, { recursive: true, force: true })
  const sourcesOf = (guide: string) =>
    readdirSync(examples + guide).map((file) => ({
      in: `${examples}${guide}/${file}`,
      out: `${guide}/${file.replace(/\..*/, '')}`,
    }))
  await build({
    entryPoints: [{ in: `${root}test/moving/serve.ts`, out: 'serve' }, ...guides.flatMap(sourcesOf)],
    ...{ outdir: programs, outExtension: { '.js': '.mjs' }, absWorkingDir: root, tsconfig: `${root}tsconfig.json` },
    ...{ bundle: true, splitting: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
    logLevel: 'warning',
  })
}

/** A running app; `url` is `null` where it refused to start. */
export interface RunningApp {
  readonly url: string | null
  stop(): Promise<void>
}

/** Start an app, as `express-jwt/before`. In its environment `{url}` stands for its own address. */
export async function startApp(app: string, env: Readonly<Record<string, string>>): Promise<RunningApp> {
  const port = await freePort()
  const own = `http://127.0.0.1:${port}`
  const named = Object.entries(env).map(([name, value]) => [name, value.replace('{url}', own)])
  // supabase-js asks for the WebSocket that Node has from version 22 on.
  const flags = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-websocket'] : []
  const child = spawn(process.execPath, [...flags, `${programs}serve.mjs`, `${programs}${app}.mjs`], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: `${port}`, ...Object.fromEntries(named) },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = once(child, 'close')
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const url = await Promise.race([line.then(([text]) => text), ended.then(() => null)])
  return { url, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdin?.end()
  await ended
}
