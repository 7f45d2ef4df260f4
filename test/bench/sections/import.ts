/** What it costs to load each: `import()` in a fresh process, in turn. */
import { spawnSync } from 'node:child_process'
import { place } from '../places.ts'
import { rowsOf } from '../rounds.ts'
import { type BenchOptions, type Section, WrongAnswer } from '../section.ts'

// What is loaded together, by the name of its row.
const LOADED: Readonly<Record<string, readonly string[]>> = {
  jose: ['jose'],
  sallyport: ['sallyport'],
  'sallyport, Express adapter': ['sallyport', 'sallyport/express'],
  'sallyport, all of PostgreSQL': ['sallyport', 'sallyport/express', 'sallyport/postgres', 'sallyport/people'],
  'fast-jwt': ['fast-jwt'],
  jsonwebtoken: ['jsonwebtoken'],
  'aws-jwt-verify': ['aws-jwt-verify'],
  'express-jwt': ['express-jwt'],
  'express-oauth2-jwt-bearer': ['express-oauth2-jwt-bearer'],
  'koa-jwt': ['koa-jwt'],
  'hono/jwk': ['hono/jwk'],
  'passport, passport-jwt': ['passport', 'passport-jwt'],
  '@fastify/jwt': ['@fastify/jwt'],
}

const PROGRAM = `const before = process.cpuUsage()
for (const name of process.argv.slice(1)) await import(name)
const { user, system } = process.cpuUsage(before)
console.log((user + system) / 1000)`

export async function benchImport({ quick, progress }: BenchOptions): Promise<Section> {
  const rounds = quick ? 5 : 21
  const series = Object.entries(LOADED).map(([name, targets]) => ({ name, targets, values: [] as number[] }))
  for (let round = -1; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < series.length; turn++) {
      const each = series[(turn + round + series.length) % series.length] as (typeof series)[number]
      const cost = importOf(each.name, each.targets)
      // The first round brings the files into the system's cache, and counts for nothing.
      if (round >= 0) each.values.push(cost)
    }
  }
  const targets = { sallyport: { goal: 1.15, gate: 1.3 } }
  const head = { title: 'import() in a fresh process', against: 'jose', targets }
  return {
    title: 'Loading',
    about: `Processor time of \`import()\` in a process of its own, the files in the system's cache; what each loads by itself is \
within (sallyport loads jose).`,
    groups: [{ ...rowsOf(head, series), measure: 'processor time', unit: 'ms', better: 'lower' }],
    missing: [],
  }
}

function importOf(name: string, targets: readonly string[]): number {
  const args = ['--input-type=module', '-e', PROGRAM, '--', ...targets]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8' })
  if (!(Number(stdout) > 0)) throw new WrongAnswer(`${name} was not loaded: ${stderr}`)
  return Number(stdout)
}
