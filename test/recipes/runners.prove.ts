/** docs/testing.md: its tests and its configurations in each runner that it names, with the packed package. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { snippet } from '../readme/snippets.ts'
import { bunOf, installPeers } from './peers.ts'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const WRITTEN_FOR = "import { expect, test } from 'vitest'"
const JEST = "import { expect, test } from '@jest/globals'"
const NODE = "import { test } from 'node:test'"
// What `expect` is used for in the tests, by `node:assert`.
const ASSERT = `import assert from 'node:assert/strict'
const expect = (value: unknown) => ({ toBe: (wanted: unknown) => assert.equal(value, wanted) })`

let place: string
beforeAll(async () => {
  place = await installPeers()
}, 600_000)

/** A block of the page. */
function block(name: string): string {
  const [, code] = new RegExp(`^\`\`\`js ${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? []
  if (code === undefined) throw new Error(`the page has no ${name}`)
  return code
}

interface Project {
  readonly type: 'module' | 'commonjs'
  readonly imports: string
  readonly files?: Readonly<Record<string, string>>
  /** With `$` for the folder of the packages. */
  readonly command: readonly [string, ...string[]]
}

const swapped = (config: string, [from, to]: readonly [string | RegExp, string]): string => {
  expect(config).toMatch(from)
  return config.replace(from, to)
}
const SWC = /\['@swc\/jest', .*\]/
const BABEL =
  "['babel-jest', { presets: [['@babel/preset-env', { targets: { node: 'current' } }], '@babel/preset-typescript'] }]"
const TS_JEST = `['ts-jest', { diagnostics: false, tsconfig: { module: 'commonjs', moduleResolution: 'node10', target: 'es2022',
  ignoreDeprecations: '6.0', allowJs: true, isolatedModules: true, esModuleInterop: true } }]`
const cjs = (config: string): Omit<Project, 'command'> => ({
  type: 'commonjs',
  imports: JEST,
  files: { 'jest.config.js': config },
})
const jest = '$jest/bin/jest.js'
const vm = '--experimental-vm-modules'

const PROJECTS: Readonly<Record<string, () => Project>> = {
  vitest: () => ({
    ...{ type: 'module', imports: WRITTEN_FOR, files: { 'vitest.config.js': 'export default {}\n' } },
    command: [process.execPath, '$vitest/vitest.mjs', 'run'],
  }),
  Bun: () => ({ type: 'module', imports: "import { expect, test } from 'bun:test'", command: [bunOf(place), 'test'] }),
  'node:test': () => ({
    ...{ type: 'module', imports: `${NODE}\n${ASSERT}` },
    command: [process.execPath, '--import', 'tsx', '--test', 'handlers.test.ts'],
  }),
  'jest, ES modules': () => ({
    ...{ type: 'module', imports: JEST, files: { 'jest.config.js': block('jest.config.js') } },
    command: [process.execPath, vm, jest],
  }),
  'jest, CommonJS': () => ({ ...cjs(block('jest.config.cjs')), command: [process.execPath, jest] }),
  'jest, CommonJS, babel-jest': () => ({
    ...cjs(swapped(block('jest.config.cjs'), [SWC, BABEL])),
    command: [process.execPath, jest],
  }),
  'jest, CommonJS, ts-jest': () => ({
    ...cjs(swapped(block('jest.config.cjs'), [SWC, TS_JEST])),
    command: [process.execPath, jest],
  }),
}

/** What jest makes of the package where nothing translates it. */
const UNTRANSLATED = (): string =>
  swapped(swapped(block('jest.config.cjs'), [/ {2}transformIgnorePatterns.*\n/, '']), ['[jt]s', 'ts'])

async function run(name: string, { type, imports, files = {}, command }: Project): Promise<string> {
  const folder = `${place}runners/${name.replaceAll(/\W+/g, '-')}/`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const test = snippet('handlers.test.ts').code
  expect(test).toContain(WRITTEN_FOR)
  const written: Record<string, string> = {
    'package.json': JSON.stringify({ type }),
    'handlers.ts': snippet('handlers.ts').code,
    // TypeScript's own resolution of CommonJS has no `.ts` in it.
    'handlers.test.ts': test
      .replace(WRITTEN_FOR, imports)
      .replace("'./handlers.ts'", `'./handlers${type === 'module' ? '.ts' : ''}'`),
    ...files,
  }
  for (const [file, text] of Object.entries(written)) writeFileSync(folder + file, text)
  const [file, ...args] = command.map((word) => word.replace('$', `${place}node_modules/`)) as [string, ...string[]]
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const { stdout, stderr } = await promisify(execFile)(file, args, { cwd: folder, env })
  return stdout + stderr
}

describe.each(Object.keys(PROJECTS))('%s', (name) => {
  it('runs both tests', async () => {
    const output = await run(name, (PROJECTS[name] as () => Project)())
    expect(output).toMatch(/2 pass|pass 2|2 passed/)
  })
})

it('are all in the table of the page, with their imports', () => {
  for (const name of ['vitest', 'Bun', '`node:test`', 'jest, ES modules', 'jest, CommonJS'])
    expect(page).toContain(`| ${name}`)
  for (const line of [WRITTEN_FOR, JEST, NODE, "import { expect, test } from 'bun:test'"])
    expect(page).toContain(`\`${line}\``)
})

describe('jest, CommonJS, without a transform', () => {
  it('can’t load the package', async () => {
    const project = { ...cjs(UNTRANSLATED()), command: [process.execPath, jest] } as const
    await expect(run('untranslated', project)).rejects.toThrow('Must use import to load ES Module')
  })

  it('loads it on Node 24.9 or newer, started with --experimental-vm-modules', async () => {
    const node = ['npm', 'exec', '--yes', '--package=node@24.21.0', '--', 'node'] as const
    const output = await run('untranslated-24', { ...cjs(UNTRANSLATED()), command: [...node, vm, jest] })
    expect(output).toMatch(/2 passed/)
    await expect(run('untranslated-24', { ...cjs(UNTRANSLATED()), command: [...node, jest] })).rejects.toThrow(
      'Must use import to load ES Module',
    )
  })
})

describe.each([
  ['node16', 'commonjs', 'TS1479'],
  ['node20', 'commonjs', null],
  ['nodenext', 'commonjs', null],
  ['node16', 'module', null],
] as const)('TypeScript, module %s in a package of type %s', (module, type, code) => {
  it(code === null ? 'takes the import' : `refuses it: ${code}`, async () => {
    const options = { module, strict: true, noEmit: true, skipLibCheck: true, types: ['node'], esModuleInterop: true }
    const tsconfig = JSON.stringify({ compilerOptions: options, files: ['handlers.ts'] })
    const compile = run(`tsc-${module}-${type}`, {
      ...{ type, imports: WRITTEN_FOR, files: { 'tsconfig.json': tsconfig, 'handlers.ts': VALUE } },
      command: [process.execPath, '$typescript/bin/tsc', '-p', '.'],
    })
    if (code === null) await compile
    else await expect(compile).rejects.toMatchObject({ stdout: expect.stringContaining(code) })
  })
})

const VALUE = `import { createAuth } from 'sallyport'
export const make = createAuth
`
