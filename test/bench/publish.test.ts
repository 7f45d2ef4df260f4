/** docs/performance.md and its chart are what the published run gives (npm run pages writes them), and the terminal is 80 wide. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { root } from './places.ts'
import { pagesOf, readPublished } from './publish.ts'
import { SECTIONS } from './sections.ts'
import { printSection } from './table.ts'

const published = readPublished()
const groups = Object.values(published.sections).flatMap((section) => section.groups)

describe('the published run', () => {
  it('is a whole one, of every section', () => {
    expect(published.command).toMatch(/^npm run bench -- (--quick )?--publish$/)
    expect(Object.keys(published.sections)).toEqual(Object.keys(SECTIONS))
  })

  it('has a base in every group that compares, and the rounds of each', () => {
    const without = groups.filter(({ against, rows }) => against !== null && !rows.some(({ name }) => name === against))
    // One table gathers rows of several others.
    expect(without.map(({ title }) => title)).toEqual(['sallyport verify() against fast-jwt without cache'])
    expect(groups.every(({ rounds }) => rounds >= 1)).toBe(true)
  })

  it('holds no figure that is none', () => {
    const spreads = groups.flatMap(({ rows }) =>
      rows.flatMap(({ value, ratio }) => [value, ...(ratio === null ? [] : [ratio])]),
    )
    expect(spreads.length).toBeGreaterThan(100)
    expect(spreads.filter(({ min, median, max }) => !(min <= median && median <= max))).toEqual([])
  })

  it.each(Object.entries(pagesOf(published)))('gives %s as it is', (path, text) => {
    expect(readFileSync(root + path, 'utf8')).toBe(text)
  })

  it('is 80 columns wide in a terminal', () => {
    const lines = Object.values(published.sections).flatMap((section) => printSection(section, false).split('\n'))
    expect(lines.filter((line) => line.length > 80)).toEqual([])
  })
})
