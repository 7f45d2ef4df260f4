/** The pages for who works here: their paths exist, the table of imports is the enforced one, and no state is forgotten. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { withImportTable } from '../scripts/architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

// Paths in backticks and in links. One with a wildcard or a place to fill in is a pattern.
function pathsIn(page: string): string[] {
  const quoted = [...page.matchAll(/`((?:src|adapters|test|scripts|examples|docs|\.ci)\/[\w./-]*)`/g)]
  const linked = [...page.matchAll(/\]\((?!https?:)([\w./-]+)\)/g)]
  return [...quoted, ...linked].map(([, path = '']) => path)
}

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (name) => {
  it('names paths that are there', () => {
    const paths = pathsIn(read(name))
    expect(paths.length).toBeGreaterThan(20)
    // What git ignores is there once it has been made.
    const ignored = read('.gitignore').split('\n')
    expect(paths.filter((path) => !existsSync(root + path) && !ignored.includes(path))).toEqual([])
  })

  it('names what the files it points to hold', () => {
    const named = [
      ...read(name).matchAll(
        /((?:`\w+`(?:,| and| or)?\s+)+)(?:in|of)\s+`((?:src|adapters|test|scripts)\/[\w./-]+\.ts)`/g,
      ),
    ]
      .flatMap(([, names = '', path = '']) => [...names.matchAll(/\w+/g)].map(([word]) => [word, path] as const))
      .filter(([word]) => word !== 'and' && word !== 'or')
    expect(named.filter(([word, path]) => !new RegExp(`\\b${word}\\b`).test(read(path)))).toEqual([])
  })

  it('names commands that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const commands = [...read(name).matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script)
    expect(commands.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
  })
})

describe('ARCHITECTURE.md', () => {
  const page = read('ARCHITECTURE.md')

  it('has the table of imports as it is enforced (npm run pages writes it)', () => {
    expect(page).toBe(withImportTable(page))
  })

  it('names every file that keeps state', () => {
    const keeping = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.startsWith('testing/') && path !== 'lib/beside.ts')
      .filter((path) =>
        /new WeakMap\b|= create(Beside|BoundedMap|Turns|Slots)\b|^const \w+ = new (Map|Set)\(\)/m.test(
          read(`src/${path}`),
        ),
      )
      .map((path) => `src/${path}`)
    const table = page.split('## Where state lives')[1] ?? ''
    expect(keeping.length).toBeGreaterThan(10)
    expect(keeping.filter((path) => !table.includes(`\`${path}\``))).toEqual([])
  })
})
