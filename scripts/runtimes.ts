/**
 * Runs the pipeline of `runtimes/smoke.mjs` against the packed package in every runtime we promise, each fetched by npm for
 * the occasion: `npm run test:runtimes`, or `… -- deno workerd` for some. Prints which runtimes really ran; a runtime that
 * can't be fetched is a failure, as is one that says it is another.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { build } from 'esbuild'
import { pack } from '../test/package/pack.ts'

interface Runtime {
  readonly name: string
  readonly package: string
  /** What its version command prints, and what the pipeline says it ran on. */
  readonly version: RegExp
  readonly said: RegExp
  readonly run: (name: string, project: string) => Promise<string> | string
}

interface Outcome {
  readonly runtime: string
  readonly version: string
  readonly result: 'passed' | 'FAILED' | 'NOT FETCHED'
  readonly seconds: string
  /** The pipeline's line, or what was said instead. */
  readonly said: string
}

const node = (version: string): Runtime => ({
  name: `node ${version.split('.')[0]}`,
  package: `node@${version}`,
  version: new RegExp(`^v${version}$`, 'm'),
  said: new RegExp(`Node ${version}$`),
  run: runFile('node'),
})

const RUNTIMES: readonly Runtime[] = [
  node('20.20.2'),
  node('22.23.3'),
  node('24.21.0'),
  { name: 'bun', package: 'bun@1.4.5', version: /^1\.4\.5$/m, said: /Bun 1\.4\.5$/, run: runFile('bun') },
  {
    name: 'deno',
    package: 'deno@2.9.5',
    version: /^deno 2\.9\.5 /m,
    said: /Deno 2\.9\.5$/,
    run: runFile('deno', 'run', '-A'),
  },
  {
    name: 'workerd',
    package: 'workerd@1.20261019.1',
    version: /^workerd 2026-10-19$/m,
    said: /Cloudflare-Workers$/,
    run: runWorker,
  },
]

// The settings of the npm that started this are not those of the project made here.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

const npx = (name: string, cwd: string, ...args: string[]) =>
  spawnSync('npx', ['-y', '-p', name, ...args], { cwd, env, encoding: 'utf8', timeout: 600_000 })

function runFile(...command: string[]): Runtime['run'] {
  return (name, project) => {
    const { stdout, stderr, status } = npx(name, project, ...command, 'print.mjs')
    return status === 0 ? stdout : `${stdout}${stderr}`
  }
}

// workerd takes one file, and answers by HTTP.
async function runWorker(name: string, project: string): Promise<string> {
  await build({
    entryPoints: [join(project, 'worker.mjs')],
    outfile: join(project, 'bundle.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    logLevel: 'silent',
  })
  const port = await freePort()
  writeFileSync(
    join(project, 'worker.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "bundle.mjs", esModule = embed "bundle.mjs")],
  compatibilityDate = "2026-01-01",
);
`,
  )
  const args = ['-y', '-p', name, 'workerd', 'serve', 'worker.capnp']
  const server = spawn('npx', args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
  }
  try {
    return await askUntil(`http://127.0.0.1:${port}/`, () => server.exitCode === null)
  } catch (error) {
    return `${String(error)}\n${said}`
  } finally {
    // npx has a child that has a child: the whole group goes.
    process.kill(-(server.pid as number), 'SIGKILL')
  }
}

async function askUntil(url: string, isAlive: () => boolean): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await fetch(url)).text()
    } catch (error) {
      if (!isAlive() || tries > 300) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function runIn(runtime: Runtime, project: string): Promise<Outcome> {
  const { name, package: specifier, version, said: expected, run } = runtime
  const started = performance.now()
  const outcome = (result: Outcome['result'], text: string): Outcome => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    return { runtime: name, version: specifier, result, seconds, said: text.trim() }
  }
  const command = name.startsWith('node') ? 'node' : name
  const asked = npx(specifier, project, command, '--version')
  if (asked.status !== 0) return outcome('NOT FETCHED', asked.stderr)
  if (!version.test(asked.stdout)) return outcome('FAILED', `another one: ${asked.stdout}`)
  const said = await run(specifier, project)
  const line = said.split('\n').find((each) => each.startsWith('smoke: ok')) ?? ''
  return expected.test(line) ? outcome('passed', line) : outcome('FAILED', said)
}

function show({ runtime, version, result, seconds, said }: Outcome): void {
  // Colour only where somebody looks.
  const color = (text: string): string =>
    process.stdout.isTTY ? styleText(result === 'passed' ? 'green' : 'red', text) : text
  const columns = [runtime.padEnd(8), version.padEnd(22), color(result.padEnd(11)), `${seconds} s`.padStart(7)]
  console.log(`  ${columns.join('  ')}  ${result === 'passed' ? said : said.replace(/^/gm, '\n      ')}`)
}

const wanted = process.argv.slice(2)
const chosen = RUNTIMES.filter(({ name }) => wanted.length === 0 || wanted.includes(name.split(' ')[0] as string))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-runtimes-'))
try {
  const { failure, typed: project } = await pack(folder)
  if (failure !== null) throw new Error(failure)
  cpSync(new URL('runtimes', import.meta.url), project, { recursive: true })
  const outcomes: Outcome[] = []
  for (const runtime of chosen) {
    const outcome = await runIn(runtime, project)
    show(outcome)
    outcomes.push(outcome)
  }
  const passed = outcomes.filter(({ result }) => result === 'passed')
  console.log(
    `\n  ran in ${passed.map(({ version }) => version).join(', ') || 'none'}: ${passed.length} of ${chosen.length}`,
  )
  process.exitCode = passed.length === chosen.length && passed.length > 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
