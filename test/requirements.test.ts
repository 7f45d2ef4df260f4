/** `docs/requirements.md`: every id that a test cites stands there, and names the files that hold it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { citedIn, readCitations, readRows, withFiles } from '../scripts/requirements.ts'

const page = readFileSync(fileURLToPath(new URL('../docs/requirements.md', import.meta.url)), 'utf8')
const citations = readCitations()
const rows = readRows(page)

describe('the page of requirements', () => {
  it('has a row for every id that is cited', () => {
    const ids = rows.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(70)
    expect(new Set(ids).size).toBe(ids.length)
    expect([...citations].filter(([id]) => !ids.includes(id))).toEqual([])
  })

  it('names a file or a reason for every row', () => {
    expect(rows.filter(({ heldBy }) => heldBy === '')).toEqual([])
  })

  it('has its files as they are (npm run pages writes them)', () => {
    expect(page).toBe(withFiles(page, citations))
  })
})

describe('what counts as a citation', () => {
  it.each([
    ['// (T9, H1–H3): a token', ['T9', 'H1', 'H2', 'H3']],
    ["  requirement: 'O3',", ['O3']],
    ['/** L14: one admin. */', ['L14']],
    ["'/things/%E4', 1T3, T0, ES256, 2026-01-01T23:59, A4x, V8: ''", []],
  ])('in %s', (text, ids) => {
    expect(citedIn('a.ts', text)).toEqual(ids)
  })

  it('in the corpus: what stands under req, RFCs left out', () => {
    const text = '{"id":"T1","req":"§0 Order"}\n{"why":"K1","req":"T2"}\n{"req":"RFC 7515 §5.2"}\n{"req":"T2"}'
    expect(citedIn('a.jsonl', text)).toEqual(['§0 Order', 'T2'])
  })
})

describe('the last column', () => {
  it('is what is cited, and else the reason that stands there', () => {
    const text = '| T1 | One. | |\n| T2 | Two. | by review: no test can |\n| x | y | z |'
    const filled = '| T1 | One. | `a.ts` `b.ts` |\n| T2 | Two. | by review: no test can |\n| x | y | z |'
    expect(withFiles(text, new Map([['T1', ['a.ts', 'b.ts']]]))).toBe(filled)
    expect(readRows(filled).map(({ heldBy }) => heldBy)).toEqual(['`a.ts` `b.ts`', 'by review: no test can'])
  })
})
