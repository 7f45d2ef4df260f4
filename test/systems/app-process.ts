/** Examples as real processes: started as a user starts them, with nothing of this process's environment but the path. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type AppName, openWorld, SYSTEMS, type World, type WorldOptions } from '../../examples/demo/world.ts'
import type { Environment } from '../../examples/start/settings.ts'
import { PATIENCE_MS, TEST_PATIENCE_MS } from '../patience.ts'
import { programOf } from '../program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** How a process ended, and what it said. */
export interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** An app in a process of its own. */
export interface AppProcess {
  readonly url: string
  readonly notes: readonly string[]
  /** What it printed so far. */
  stdout(): string
  /** What it complained of so far. */
  stderr(): string
  /** End it by SIGTERM; how it ended, and after how many milliseconds. */
  end(): Promise<Ending & { readonly milliseconds: number }>
  stop(): Promise<void>
}

const SCRIPTS: Readonly<Record<AppName, readonly string[]>> = {
  express: ['examples/quickstart/main.ts', 'express'],
  koa: ['examples/quickstart/main.ts', 'koa'],
  hono: ['examples/quickstart/main.ts', 'hono'],
  iron: ['examples/iron-crm/main.ts'],
  intello: ['examples/intello/main.ts'],
  ironflow: ['examples/ironflow/main.ts'],
  'ironflow --dev': ['examples/ironflow/main.ts', '--dev'],
}

/** The systems of these names, each a process; close the world to end them. `processes` is told them, by their apps. */
export function openWorldOf(
  names: readonly string[],
  options: WorldOptions = {},
  processes: Map<AppName, AppProcess> = new Map(),
): Promise<World> {
  const systems = Object.fromEntries(Object.entries(SYSTEMS).filter(([name]) => names.includes(name)))
  const start = async (app: AppName, environment: Environment): Promise<AppProcess> => {
    const started = await startProcess(SCRIPTS[app], environment)
    processes.set(app, started)
    return started
  }
  return openWorld(systems, start, options)
}

// Some live as long as a whole file of tests; a run that was killed leaves none behind for good.
const LIFETIME_SECONDS = (10 * TEST_PATIENCE_MS) / 1000

/** Start a script and wait for its ready line; it is killed where it outlives the tests that started it, unless told. */
export async function startProcess(
  script: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  lifetimeSeconds: number = LIFETIME_SECONDS,
): Promise<AppProcess> {
  const child = await launch(script, environment, lifetimeSeconds)
  const ended = ending(child)
  const [said, complained]: [string[], string[]] = [[], []]
  child.stderr?.on('data', (chunk: Buffer) => complained.push(chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${script.join(' ')}: not ready after ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    )
    child.stdout?.on('data', () => {
      const [, found] = /ready on (http:\S+)\n/.exec(said.join('')) ?? []
      if (found === undefined) return
      clearTimeout(late)
      resolve(found)
    })
    void ended.then(({ code, stderr }) => {
      clearTimeout(late)
      reject(Object.assign(new Error(`${script.join(' ')}: ${stderr}`), { code }))
    })
  })
  const end: AppProcess['end'] = async () => {
    const asked = performance.now()
    child.kill('SIGTERM')
    const how = await ended
    return { ...how, milliseconds: performance.now() - asked }
  }
  return {
    url,
    notes: said
      .join('')
      .split('\n')
      .filter((line) => !line.includes(' ready on ')),
    stdout: () => said.join(''),
    stderr: () => complained.join(''),
    end,
    stop: () => end().then(() => {}),
  }
}

/** Run a script to its end, which must come by itself. */
export async function runToEnd(
  script: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Ending> {
  return ending(await launch(script, environment))
}

async function launch(
  script: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  lifetimeSeconds: number = TEST_PATIENCE_MS / 1000,
): Promise<ChildProcess> {
  const { PATH, HOME } = process.env
  const [first = '', ...rest] = script
  const isFile = first.endsWith('.ts')
  const node = isFile ? [await programOf(first), ...rest] : ['--import', 'tsx', ...script]
  const [command, args] = first === 'npm' ? ['npm', rest] : [process.execPath, node]
  return spawn(command, args, {
    cwd: root,
    env: { PATH, HOME, ...environment } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: lifetimeSeconds * 1000,
    killSignal: 'SIGKILL',
  })
}

function ending(child: ChildProcess): Promise<Ending> {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout: stdout.join(''), stderr: stderr.join('') }))
  })
}
