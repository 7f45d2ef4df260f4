#!/usr/bin/env node
/**
 * Runs the README's two commands on a fresh clone of HEAD under several Node versions and prints a table (D2).
 * `npm run test:nodes` (22 and 24), or `node scripts/node-matrix.mjs 20 22 26`. Not zero if any version fails.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24']

// The settings of the npm that started this are not those of the clone.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

const run = (command, args, options = {}) => spawnSync(command, args, { encoding: 'utf8', env, ...options })

function testOn(version) {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-node-${version}-`))
  const clone = join(folder, 'clone')
  const started = process.hrtime.bigint()
  try {
    const cloned = run('git', ['clone', '--quiet', root, clone])
    const inside = ['-y', '-p', `node@${version}`, '-c', 'node --version && npm ci && npm test']
    const tested = cloned.status === 0 ? run('npx', inside, { cwd: clone, timeout: 900_000 }) : cloned
    const output = `${tested.stdout}${tested.stderr}`
    const node = /^v\d+\.\d+\.\d+$/m.exec(output)?.[0] ?? '?'
    // The child decides which Node ran: a table that names another one would be a lie.
    const passed = tested.status === 0 && node.startsWith(`v${version.split('.')[0]}.`)
    const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n)
    return { wanted: version, node, result: passed ? 'passed' : 'FAILED', seconds, output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const results = versions.map(testOn)
for (const { wanted, output } of results.filter(({ result }) => result === 'FAILED')) {
  console.log(`--- Node ${wanted}\n${output.split('\n').slice(-60).join('\n')}`)
}
console.table(results.map(({ output, ...row }) => row))
process.exitCode = results.every(({ result }) => result === 'passed') ? 0 : 1
