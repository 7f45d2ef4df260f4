/** The corpus: its data; all of it asked of each framework with keys of both kinds, and of one with keys of either kind alone. */
import { describe, expect, it } from 'vitest'
import { describeCorpus, FRAMEWORKS } from './ask-corpus.ts'
import { caseMistake, labelFor, ROWS, readCorpus, rowOf, servicesOf } from './case-format.ts'

const CASES = readCorpus()

describe('the data', () => {
  it('is of the format, each case with a label, a reason and a requirement', () => {
    expect(CASES.map((given) => [given.id, caseMistake(given)]).filter(([, mistake]) => mistake !== null)).toEqual([])
  })

  it('names every case once, and sends no request twice', () => {
    expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length)
    const sent = CASES.map(({ request, send, token, other, services }) =>
      JSON.stringify([request, send, token, other, services]),
    )
    expect(sent.filter((text, index) => sent.indexOf(text) !== index)).toEqual([])
  })

  it('has at least 500 cases, 10 for each row of the error table, 60 valid ones, 10 at most that Node refuses', () => {
    const rows = CASES.flatMap((given) => [...new Set(servicesOf(given).map((name) => rowOf(labelFor(given, name))))])
    const count = (row: string): number => rows.filter((name) => name === row).length
    expect(CASES.length).toBeGreaterThanOrEqual(500)
    expect(ROWS.filter((row) => count(row) < 10).map((row) => `${row}: ${count(row)}`)).toEqual([])
    expect(count('success')).toBeGreaterThanOrEqual(60)
    expect(count('http')).toBeLessThanOrEqual(10)
    expect(count('router')).toBeGreaterThanOrEqual(16)
  })
})

// All nine: corpus.long.test.ts.
describeCorpus([...FRAMEWORKS.map((name) => [name, 'both'] as const), ['express 5', 'hs256'], ['koa 3', 'jwks']])
