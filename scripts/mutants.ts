/**
 * `npm run mutants`: take away each check of `src/` and `adapters/` in turn, in memory, and run the tests. Every one must
 * make a test fail; a mutant that survives is a check nobody would miss. Words after the command choose mutants by path,
 * reason or call.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findMutants, type Mutant } from './mutants.find.ts'

type Verdict = 'killed' | 'survived' | 'broken'

interface Outcome {
  readonly mutant: Mutant
  readonly verdict: Verdict
  /** The test that noticed, or what went wrong. */
  readonly by: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const TIMEOUT_MS = 120_000
const ALL_TIMEOUT_MS = 1_200_000
const FIRST = ['test/pipeline/refusals.test.ts', 'test/pipeline/order.test.ts', 'test/pipeline/call-sites.test.ts']

function listMutants(words: readonly string[]): Mutant[] {
  return (
    ['src', 'adapters']
      .flatMap((folder) => readdirSync(root + folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
      .filter((path) => !/^src\/(?:testing|cli)\//.test(path))
      .sort()
      .flatMap((path) => findMutants(path, readFileSync(root + path, 'utf8')))
      // What a storage checks is no refusal of the pipeline: the contract suites and their broken stores prove it.
      .filter(({ path, kind }) => kind !== 'check' || !path.startsWith('src/storage/'))
      .filter(
        ({ path, what }) => words.length === 0 || words.some((word) => path.includes(word) || what.includes(word)),
      )
  )
}

// After the pipeline: the tests of the mutant's own folder, and those that go over real HTTP.
function furtherTests({ path }: Mutant): string[] {
  const [place = '', folder = ''] = path.split('/')
  const own = place === 'adapters' ? 'test/adapters' : `test/${folder.replace(/\.ts$/, '')}`
  return [own, 'test/pipeline', 'test/regressions', 'test/adapters']
}

interface Run {
  readonly failed: number
  readonly total: number
  readonly first: string
  readonly error: string
}

function runTests(tests: readonly string[], mutant: Mutant | null): Promise<Run> {
  const given = mutant === null ? '' : JSON.stringify(mutant)
  const file = `${root}node_modules/vitest/vitest.mjs`
  const child = spawn(process.execPath, [file, 'run', '--config', 'scripts/mutants.vitest.ts', ...new Set(tests)], {
    cwd: root,
    env: { ...process.env, SALLYPORT_MUTANT: given },
    timeout: mutant === null ? ALL_TIMEOUT_MS : TIMEOUT_MS,
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk) => out.push(chunk))
  child.stderr.on('data', (chunk) => err.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(toRun(Buffer.concat(out).toString(), Buffer.concat(err).toString())))
  })
}

interface Report {
  readonly numFailedTests: number
  readonly numTotalTests: number
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

function toRun(out: string, err: string): Run {
  const line = out.split('\n').find((text) => text.startsWith('{"num'))
  if (line === undefined) return { failed: 0, total: 0, first: '', error: err.trim().slice(-300) || 'no report' }
  const { numFailedTests: failed, numTotalTests: total, testResults } = JSON.parse(line) as Report
  const first = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed')
  const error = testResults.find(({ message }) => message !== '')?.message ?? ''
  return { failed, total, first: first?.fullName ?? '', error }
}

async function judge(mutant: Mutant): Promise<Outcome> {
  for (const tests of [FIRST, furtherTests(mutant)]) {
    const { failed, first, error } = await runTests(tests, mutant)
    if (failed > 0) return { mutant, verdict: 'killed', by: first }
    if (error !== '') return { mutant, verdict: 'broken', by: error.split('\n')[0] as string }
  }
  return { mutant, verdict: 'survived', by: '' }
}

async function judgeAll(mutants: readonly Mutant[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = [...mutants]
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      outcomes.push(await judge(mutant))
      const survivors = outcomes.filter(({ verdict }) => verdict !== 'killed').length
      process.stderr.write(`\r${outcomes.length}/${mutants.length} mutants, ${survivors} not killed `)
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
  process.stderr.write('\n')
  return mutants.map((mutant) => outcomes.find((outcome) => outcome.mutant === mutant) as Outcome)
}

function toTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ mutant: { path, line, kind, what }, verdict, by }) => [
    verdict === 'killed' ? verdict : verdict.toUpperCase(),
    kind,
    `${path}:${line}`,
    what.slice(0, 60),
    by.slice(0, 90),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

async function main(): Promise<number> {
  const mutants = listMutants(process.argv.slice(2))
  if (mutants.length === 0) throw new Error('no mutant has this word in its path, its reason or its call')
  // A test that fails all the same would seem to notice every mutant.
  const all = [...FIRST, ...mutants.flatMap(furtherTests)]
  const whole = await runTests(all, null)
  if (whole.failed > 0 || whole.total === 0 || whole.error !== '') {
    console.error(`The tests fail without any mutant: ${whole.first || whole.error}`)
    return 1
  }
  const started = performance.now()
  const outcomes = await judgeAll(mutants)
  const alive = outcomes.filter(({ verdict }) => verdict !== 'killed')
  console.log(toTable(outcomes))
  console.log(
    `\n${outcomes.length - alive.length} of ${outcomes.length} killed in ${Math.round((performance.now() - started) / 1000)} s` +
      (alive.length === 0 ? '.' : `; not killed:\n${toTable(alive)}`),
  )
  return alive.length === 0 ? 0 : 1
}

process.exitCode = await main()
