/** CHANGELOG.md: what comes next, then each version with its date, Security first; the newest is that of package.json. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')
const versions = read('CHANGELOG.md').split(/^## /m).slice(1)
const KINDS = ['Security', 'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed']

it('has what comes next, then the versions, the newest first', () => {
  const titles = versions.map((text) => text.split('\n')[0])
  expect(titles[0]).toBe('Unreleased')
  expect(titles.slice(1).filter((title) => !/^\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d$/.test(title ?? ''))).toEqual([])
  const dates = titles.slice(1).map((title) => title?.split(' - ')[1])
  expect(dates).toEqual(dates.toSorted().reverse())
  const { version } = JSON.parse(read('package.json')) as { version: string }
  expect(titles[1]?.split(' - ')[0]).toBe(version)
})

it.each(versions)('has its kinds in one order, and an entry in each: ## %.20s', (text) => {
  const kinds = [...text.matchAll(/^### (.*)\n\n(.?)/gm)].map(([, kind = '', first]) => [kind, first] as const)
  expect(kinds.filter(([, first]) => first !== '-')).toEqual([])
  const names = kinds.map(([kind]) => kind)
  expect(names).toEqual(KINDS.filter((kind) => names.includes(kind)))
})
