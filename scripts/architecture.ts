// The import table of ARCHITECTURE.md, from the table that the architecture test enforces: `npm run pages`
// writes it in place, and a test compares it.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PLACES, type Place } from '../test/architecture/layers.ts'

const PAGE = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url))
const [BEGIN, END] = ['<!-- imports -->\n', '<!-- /imports -->']

/** The page with the table of the layers. */
export function withImportTable(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('ARCHITECTURE.md: no place for the imports')
  const rows = [...PLACES].sort((a, b) => a.layer - b.layer).map(rowOf)
  const head = '| layer | place | files | may import | and of others |\n| --- | --- | --- | --- | --- |\n'
  return `${before}${BEGIN}${head}${rows.join('\n')}\n${END}${after}`
}

function rowOf(place: Place): string {
  const { layer, name, files, imports, among, reExportsOnly } = place
  const own = reExportsOnly === true ? 're-exports only: ' : ''
  const inside = among ? ['each other'] : []
  const may = [...shortened(imports, name), ...inside].join(', ')
  return `| ${[layer, name, `\`${globOf(files)}\``, `${own}${may === '' ? 'nothing' : may}`, othersOf(place)].join(' | ')} |`
}

// Whole layers by their numbers.
function shortened(imports: readonly string[], own: string): string[] {
  const isWhole = (layer: number): boolean =>
    PLACES.every((place) => place.layer !== layer || place.name === own || imports.includes(place.name))
  let whole = -1
  while (whole < 5 && imports.length > 1 && isWhole(whole + 1)) whole++
  if (whole < 1) return [...imports]
  const layerOf = new Map(PLACES.map(({ name, layer }) => [name, layer]))
  return [`layers 0 to ${whole}`, ...imports.filter((name) => (layerOf.get(name) ?? 9) > whole)]
}

// `^src\/(a|b)\.ts$` as `src/{a,b}.ts`.
function globOf({ source }: RegExp): string {
  return source
    .replaceAll('(?:-[a-z]+)?', '*')
    .replaceAll(/[\^$\\]/g, '')
    .replaceAll('(', '{')
    .replaceAll(')', '}')
    .replaceAll('|', ',')
}

function othersOf({ packages = [], typePackages = [], node, console, clock }: Place): string {
  const named = packages.map((name) => (name === '(computed)' ? 'what is found at run time' : `\`${name}\``))
  const types = typePackages.map((name) => `types of \`${name}\``)
  const uses = [
    node === true ? '`node:`' : '',
    console === true ? 'environment, console' : '',
    clock === true ? 'the clock' : '',
  ]
  return [...named, ...types, ...uses.filter((use) => use !== '')].join(', ')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, withImportTable(readFileSync(PAGE, 'utf8')))
}
