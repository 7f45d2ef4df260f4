/** The links of the pages: to files, and to sections of them. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toAnchor } from '../../docs/.vitepress/nav.ts'

const root = new URL('../../', import.meta.url)

/** The links of a page, by its path below the root, that lead to no file or to no section of it. */
export function brokenLinks(path: string, text: string): readonly string[] {
  return linksOf(text).filter((link) => {
    const [file = '', anchor] = link.split('#')
    const target = new URL(file === '' ? path : file, file === '' ? root : new URL(path, root))
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchorsOf(readFileSync(fileURLToPath(target), 'utf8')).includes(anchor)
  })
}

/** Where a page links to, other sites left out. */
export function linksOf(text: string): readonly string[] {
  return [...withoutBlocks(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link)
}

// The second of a name is `name-1`.
function anchorsOf(text: string): readonly string[] {
  const seen = new Map<string, number>()
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => {
    const anchor = toAnchor(title)
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}
