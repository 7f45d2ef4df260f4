/**
 * `npm run measure`: what the tree weighs, one column a tree. `--at <commit>` (any number of them) puts a commit's column
 * before that of the working tree; `--sizes` builds and packs each tree and adds its bundles, in bytes.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { findCycles } from '../test/architecture/check-layers.ts'
import { listExportedNames } from '../test/architecture/exported-names.ts'
import { BUDGETS, type Place } from '../test/architecture/layers.ts'
import { readSource, type SourceFile } from '../test/architecture/source-file.ts'
import { bundle, CORE, quickStartOf } from '../test/package/bundle.ts'
import { listEntryPoints } from '../test/package/entry-points.ts'
import type { Packed } from '../test/package/pack.ts'

type Row = readonly [what: string, count: number | string]

const here = fileURLToPath(new URL('..', import.meta.url))

/** A tree's rows: what is read of its texts. */
async function readTree(root: string): Promise<Row[]> {
  const [src, adapters] = [filesOf(root, 'src'), filesOf(root, 'adapters')]
  const all = [...src, ...adapters]
  const functions = all.flatMap((file) => file.functions)
  return [
    ['files of src', src.length],
    ['lines of src', linesOf(src)],
    ['files of adapters', adapters.length],
    ['lines of adapters', linesOf(adapters)],
    ...namesOf(root),
    ...importsOf(src),
    ['upward imports', upwardImports(all, await placesOf(root))],
    ['cycles', findCycles(all).length],
    [`functions over ${BUDGETS.function} lines`, functions.filter((each) => each.codeLines > BUDGETS.function).length],
    [
      `functions over ${BUDGETS.parameters} parameters`,
      functions.filter((each) => each.parameters > BUDGETS.parameters).length,
    ],
    ['casts through unknown', all.reduce((sum, { castsThroughUnknown }) => sum + castsThroughUnknown, 0)],
  ]
}

function filesOf(root: string, folder: string): SourceFile[] {
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readSource(`${folder}/${name}`, readFileSync(`${root}${folder}/${name}`, 'utf8')))
}

// As `wc -l` counts them: comments and blank lines too.
function linesOf(files: readonly SourceFile[]): number {
  return files.reduce((sum, { ast }) => sum + ast.text.split('\n').length - 1, 0)
}

function namesOf(root: string): Row[] {
  const read = (path: string): string => readFileSync(root + path, 'utf8')
  const counts = listEntryPoints(root).map(({ specifier, file }): [string, number] => [
    `names of ${specifier}`,
    listExportedNames(file, read).length,
  ])
  return [...counts, ['names in all', counts.reduce((sum, [, count]) => sum + count, 0)]]
}

function importsOf(src: readonly SourceFile[]): Row[] {
  const folderOf = (path: string): string => path.split('/').slice(0, -1).join('/')
  const pairs = src.flatMap(({ path, imports }) =>
    imports
      .flatMap((line) => (line.path === null || folderOf(line.path) === folderOf(path) ? [] : folderOf(line.path)))
      .map((to) => `${folderOf(path)} → ${to}`),
  )
  return [
    ['pairs of folders of src that import', new Set(pairs).size],
    ['imports between folders of src', pairs.length],
  ]
}

// A tree's own table of who may import whom.
async function placesOf(root: string): Promise<readonly Place[]> {
  // Under its older name in older commits.
  const file = ['layers', 'house'].map((name) => join(root, `test/architecture/${name}.ts`)).find(existsSync) as string
  const { PLACES } = (await import(pathToFileURL(file).href)) as { PLACES: Place[] }
  return PLACES
}

// An entry that re-exports its own folder, which may lie in a higher layer, is none.
function upwardImports(files: readonly SourceFile[], places: readonly Place[]): number {
  const placeOf = (path: string): Place | undefined => places.find((place) => place.files.test(path))
  return files.flatMap(({ path, imports }) => {
    const own = placeOf(path)?.layer ?? 0
    return imports.filter(
      (line) =>
        line.path !== null && (placeOf(line.path)?.layer ?? 9) > own && !(own === 5 && isBeside(path, line.path)),
    )
  }).length
}

function isBeside(path: string, other: string): boolean {
  return other.startsWith(path.slice(0, path.lastIndexOf('/') + 1)) && path.split('/').length > 2
}

/** A tree's rows: what it weighs when it is built, packed and bundled. */
async function weighTree(root: string): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-measure-'))
  try {
    const { pack } = (await import(pathToFileURL(join(root, 'test/package/pack.ts')).href)) as {
      pack(folder: string): Packed | Promise<Packed>
    }
    const { failure, tree, bare } = await pack(folder)
    if (failure !== null) throw new Error(failure)
    const adapter = (name: string): string => `${CORE}\nexport { createAdapter } from 'sallyport/${name}'`
    const quickStart = quickStartOf(readFileSync(`${root}README.md`, 'utf8'))
    const rows: Row[] = []
    for (const [what, text, external] of [
      ['quick start, minified', quickStart, []],
      ['quick start, minified, without jose', quickStart, ['jose']],
    ] as const) {
      rows.push([what, (await bundle(bare, text, external)).length])
    }
    for (const name of ['express', 'koa', 'hono']) {
      rows.push([`core with ${name}, gzip`, gzipSync(await bundle(bare, adapter(name))).length])
    }
    rows.push([
      'sallyport/testing, minified',
      (await bundle(bare, "export * from 'sallyport/testing'", ['jose'])).length,
    ])
    return [...rows, ['tarball, unpacked', unpackedSize(tree)]]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function unpackedSize(tree: string): number {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const told = JSON.parse(execFileSync('npm', args, { cwd: tree, encoding: 'utf8' })) as [{ unpackedSize: number }]
  return told[0].unpackedSize
}

async function measure(root: string, sizes: boolean): Promise<Row[]> {
  return [...(await readTree(root)), ...(sizes ? await weighTree(root) : [])]
}

async function measureCommit(commit: string, sizes: boolean): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-commit-'))
  try {
    const archive = execFileSync('git', ['archive', commit], { cwd: here, maxBuffer: 2 ** 30 })
    mkdirSync(join(folder, 'tree'))
    execFileSync('tar', ['-x', '-C', join(folder, 'tree')], { input: archive })
    symlinkSync(`${here}node_modules`, join(folder, 'tree/node_modules'))
    return await measure(`${folder}/tree/`, sizes)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({ options: { at: { type: 'string', multiple: true }, sizes: { type: 'boolean' } } })
const sizes = values.sizes ?? false
const columns: (readonly [string, readonly Row[]])[] = []
for (const commit of values.at ?? []) columns.push([commit, await measureCommit(commit, sizes)])
columns.push(['this tree', await measure(here, sizes)])

const whats = [...new Set(columns.flatMap(([, rows]) => rows.map(([what]) => what)))]
const table = [
  ['', ...columns.map(([name]) => name)],
  ...whats.map((what) => [what, ...columns.map(([, rows]) => String(rows.find((row) => row[0] === what)?.[1] ?? '–'))]),
]
const wide = Math.max(...whats.map(({ length }) => length))
for (const [what = '', ...cells] of table)
  console.log([what.padEnd(wide), ...cells.map((cell) => cell.padStart(12))].join(''))
