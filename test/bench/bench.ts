/**
 * `npm run bench`: what the library costs beside its peers, as ratios of interleaved rounds on this machine. `--quick` takes
 * under two minutes, `--only cold` (any number of them) takes one section. `--publish` makes a whole run the one that
 * docs/performance.md is written from. The exit code is 0 whatever the figures, unless a contender answers wrong or a section
 * fails.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chartOf } from './chart.ts'
import { install } from './install.ts'
import { results as folder, place, programs } from './places.ts'
import { writePages } from './publish.ts'
import { describeMachine, type Results, readVersions } from './results.ts'
import type { Section } from './section.ts'
import type { Message } from './section-process.ts'
import { SECTIONS } from './sections.ts'
import { createStatus } from './status.ts'
import { printSection } from './table.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    publish: { type: 'boolean', default: false },
  },
})

if (options.publish && options.only !== undefined) {
  console.error('--publish takes a whole run: figures of two runs are not to be compared')
  process.exit(2)
}
const unknown = options.only?.filter((word) => !Object.hasOwn(SECTIONS, word)) ?? []
if (unknown.length > 0) {
  console.error(`--only takes ${Object.keys(SECTIONS).join(', ')}; got ${unknown.join(', ')}`)
  process.exit(2)
}

const words = Object.keys(SECTIONS).filter((word) => options.only?.includes(word) !== false)
const status = createStatus(process.stdout)
const colours = process.stdout.hasColors?.() === true && process.env['NO_COLOR'] === undefined
const begun = performance.now()
const machine = describeMachine()

await install(status.show)
console.log(`Node ${process.versions.node}, ${machine.cores} cores, ${machine.processor}; load ${machine.load}`)
const sections: Record<string, Section> = {}
for (const word of words) {
  const section = await runSection(word)
  if (section === null) {
    process.exitCode = 1
    continue
  }
  sections[word] = section
  status.clear()
  console.log(printSection(section, colours))
}
const results: Results = {
  command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
  date: new Date().toISOString().slice(0, 10),
  minutes: Number(((performance.now() - begun) / 60_000).toFixed(1)),
  machine,
  versions: readVersions(place),
  sections,
}
mkdirSync(folder, { recursive: true })
const text = `${JSON.stringify(results, null, 1)}\n`
writeFileSync(`${folder}latest.json`, text)
writeFileSync(`${folder}latest.svg`, chartOf(results))
const isWhole = Object.keys(sections).length === words.length
if (options.publish && !isWhole) console.error('\nnot published: a section failed')
if (options.publish && isWhole) {
  writeFileSync(`${folder}published.json`, text)
  writePages(results)
}
console.log(`\n${results.minutes} minutes; test/bench/results/latest.json, latest.svg`)

// A process of its own: what one section leaves in caches and compilers is no other's.
function runSection(word: string): Promise<Section | null> {
  const args = ['--expose-gc', '--max-old-space-size=12288', `${programs}section-process.mjs`, word]
  const child = spawn(process.execPath, [...args, options.quick ? 'quick' : 'full'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  return new Promise((resolve) => {
    let section: Section | null = null
    child.on('message', (message: Message) => {
      if (message.kind === 'progress') return status.show(`${word}: ${message.doing}`)
      if (message.kind === 'section') section = message.section
      else reportFailure(word, message.text)
    })
    child.on('close', (code) => {
      if (code !== 0) reportFailure(word, `ended by ${code}`)
      resolve(section)
    })
  })
}

function reportFailure(word: string, text: string): void {
  status.clear()
  console.error(`\n${word}: ${text}`)
}
