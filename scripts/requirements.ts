// The last column of docs/requirements.md: which files cite an id. `npm run pages` writes it in place, and a test
// compares it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = `${ROOT}docs/requirements.md`

// `(T9, H1–H5)` in prose, `requirement: 'O3'`; never `%E4`, `T0Z`, a member of something, or V8, the engine.
const ID = /(?<![\w%§$.\\/{-])(?!V8\b)([ADEGHKLMOPRSTV])([1-9]\d?)(?:–\1([1-9]\d?))?(?!\w)/g

/** The ids that `text` cites, each once; of a corpus file what stands under `req`. */
export function citedIn(path: string, text: string): string[] {
  if (!path.endsWith('.jsonl')) return [...new Set(idsOf(text))]
  const cited = [...text.matchAll(/"req":"([^"]*)"/g)].map(([, id = '']) => id)
  return [...new Set(cited.filter((id) => !id.startsWith('RFC ')))]
}

function idsOf(text: string): string[] {
  return [...text.matchAll(ID)].flatMap(([, letter, first, last]) => {
    const count = Number(last ?? first) - Number(first) + 1
    return Array.from({ length: Math.max(count, 1) }, (_, index) => `${letter}${Number(first) + index}`)
  })
}

/** Every id that a test, a suite for hosts or a script cites, with the files that do, in the order of their names. */
export function readCitations(): Map<string, string[]> {
  const paths = ['test', 'src/testing', 'scripts']
    .flatMap((folder) =>
      readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((path) => /\.(ts|mjs|jsonl)$/.test(path) && !/\/requirements\.(test\.)?ts$/.test(path))
  const files = new Map<string, string[]>()
  for (const path of paths.sort()) {
    for (const id of citedIn(path, readFileSync(ROOT + path, 'utf8'))) files.set(id, [...(files.get(id) ?? []), path])
  }
  return files
}

/** The ids of a page, in its order, with the last column of each. */
export function readRows(page: string): { readonly id: string; readonly sentence: string; readonly heldBy: string }[] {
  return [...page.matchAll(ROW)].map(([, id = '', sentence = '', heldBy = '']) => ({
    id,
    sentence,
    heldBy: heldBy.trim(),
  }))
}

const ROW = /^\| ([ADEGHKLMOPRSTV]\d{1,2}|§\d[^|]*?) \| ([^|]+) \|([^|]*)\|$/gm

/** The page with the last column as the files say; a row that no file cites keeps what stands there: the reason. */
export function withFiles(page: string, citations: ReadonlyMap<string, readonly string[]>): string {
  return page.replace(ROW, (row, id: string, sentence: string) => {
    const files = citations
      .get(id)
      ?.map((path) => `\`${path}\``)
      .join(' ')
    return files === undefined ? row : `| ${id} | ${sentence} | ${files} |`
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, withFiles(readFileSync(PAGE, 'utf8'), readCitations()))
}
