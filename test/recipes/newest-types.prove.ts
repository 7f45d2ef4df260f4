/**
 * The declarations of the packed package with the newest types of Node and of the frameworks, by the newest compilers, in the
 * settings of a server and of a Next project: without `skipLibCheck` nothing is wrong in ours, and a first route compiles.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { installPeers, run } from '../install-peers.ts'
import { entryPoints } from '../package/entry-points.ts'
import { pack } from '../package/pack.ts'
import { snippet } from '../readme/snippets.ts'

const place = fileURLToPath(new URL('../../node_modules/.cache/newest-types/', import.meta.url))
const COMPILERS = ['typescript', 'typescript-6']
const SERVER = { target: 'es2022', lib: ['es2023'], types: ['node'] }
const SETTINGS: Readonly<Record<string, object>> = {
  node16: { ...SERVER, module: 'node16' },
  nodenext: { ...SERVER, module: 'nodenext' },
  bundler: { ...SERVER, module: 'esnext', moduleResolution: 'bundler' },
  'nodenext, with the DOM': { ...SERVER, lib: ['es2023', 'dom', 'dom.iterable'], module: 'nodenext' },
  // As create-next-app writes them.
  Next: {
    ...{ target: 'es2017', lib: ['dom', 'dom.iterable', 'esnext'], allowJs: true, module: 'esnext', jsx: 'react-jsx' },
    ...{ moduleResolution: 'bundler', resolveJsonModule: true, isolatedModules: true, esModuleInterop: true },
    ...{ incremental: true, types: ['node', 'react'] },
  },
}

beforeAll(async () => {
  installPeers(fileURLToPath(new URL('newest/', import.meta.url)), place)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-newest-'))
  try {
    const { failure, tarball } = await pack(folder)
    if (failure !== null) throw new Error(failure)
    rmSync(`${place}node_modules/sallyport`, { recursive: true, force: true })
    mkdirSync(`${place}node_modules/sallyport`)
    run('tar', ['-xzf', tarball, '-C', `${place}node_modules/sallyport`, '--strip-components=1'], place)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const names = entryPoints.map(({ specifier }) => specifier)
  expect(names.length).toBeGreaterThan(12)
  const all = names.map((name, at) => `export * as entry${at} from '${name}'\n`).join('')
  const files = {
    'all.ts': all,
    'auth.ts': snippet('auth.ts').code,
    'mistake.ts': "import { nothing } from 'sallyport'\nnothing\n",
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(place + file, text)
  writeFileSync(
    `${place}route.ts`,
    snippet('hono.ts')
      .code.replace(/^import \{ serve .*\n/m, '')
      .replace(/^export const server.*\n/m, ''),
  )
}, 600_000)

// What the frameworks' own declarations say is theirs.
function saidBy(compiler: string, settings: object, files: readonly string[]): string[] {
  const compilerOptions = {
    ...settings,
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
  }
  writeFileSync(`${place}tsconfig.json`, JSON.stringify({ compilerOptions, files }))
  const tsc = `${place}node_modules/${compiler}/bin/tsc`
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: place, encoding: 'utf8' })
  return `${stdout}${stderr}`
    .split(/\n(?=\S)/)
    .filter((text) => /^(\w+\.ts|node_modules\/sallyport\/|error)/.test(text))
}

describe.each(COMPILERS)('%s', (compiler) => {
  it.each(Object.entries(SETTINGS))('%s: nothing is wrong', (_, settings) => {
    expect(saidBy(compiler, settings, ['all.ts', 'auth.ts', 'route.ts'])).toEqual([])
  })

  it('finds a mistake', () => {
    const [said] = saidBy(compiler, SETTINGS['nodenext'] ?? {}, ['mistake.ts'])
    expect(said).toMatch(/^mistake\.ts.*nothing/)
  })
})
