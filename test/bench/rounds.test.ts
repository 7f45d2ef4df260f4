/** The benchmark's own arithmetic: turns, ratios within a round, verdicts. Nothing here looks at a time. */
import { describe, expect, it } from 'vitest'
import { type Contender, interleave, rowsOf, spread } from './rounds.ts'
import { type Group, WrongAnswer } from './section.ts'
import { boundOf, formatFigure, verdictOf } from './verdict.ts'

describe('rounds', () => {
  it('give everybody a turn each, the first one moving on', async () => {
    const turns: string[] = []
    const contenders = ['a', 'b', 'c'].map(
      (name): Contender => ({
        name,
        prepare() {
          turns.push(name)
          return () => name
        },
      }),
    )
    const samples = await interleave(contenders, { rounds: 2, size: 3 })
    expect(turns.join('')).toBe('abcbcacab')
    expect(samples.map(({ name, cpu, wall }) => [name, cpu.length, wall.length])).toEqual([
      ['a', 2, 2],
      ['b', 2, 2],
      ['c', 2, 2],
    ])
  })

  it.each([
    [{ synchronous: true }, 1],
    [{}, 1],
    [{}, 4],
  ])('make every call once, also with several under way: %o, %i', async (how, inFlight) => {
    const calls: number[] = []
    const call = (index: number): number => calls.push(index)
    await interleave([{ name: 'a', prepare: () => call, ...how }], { rounds: 1, size: 10, inFlight })
    expect(calls.slice(10).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(calls).toHaveLength(20)
  })

  it('end where a call gives no answer', async () => {
    const silent: Contender = { name: 'silent', prepare: () => (index) => (index === 3 ? null : index) }
    await expect(interleave([silent], { rounds: 1, size: 5 })).rejects.toThrow(WrongAnswer)
  })
})

describe('figures', () => {
  it.each([
    [[3, 1, 2], { min: 1, median: 2, max: 3 }],
    [[4, 1, 2, 3], { min: 1, median: 2.5, max: 4 }],
    [[7], { min: 7, median: 7, max: 7 }],
  ])('of %o are told by minimum, median and maximum', (values, expected) => {
    expect(spread(values)).toEqual(expected)
  })

  it('are compared within a round, not over all', () => {
    const series = [
      { name: 'base', values: [10, 100] },
      { name: 'other', values: [20, 50] },
    ]
    const { rows, against, rounds } = rowsOf({ title: 't', targets: { other: { goal: 1, gate: 2 } } }, series)
    expect([against, rounds]).toEqual(['base', 2])
    expect(rows[1]).toEqual({
      name: 'other',
      value: { min: 20, median: 35, max: 50 },
      ratio: { min: 0.5, median: 1.25, max: 2 },
      goal: 1,
      gate: 2,
    })
  })

  const group = (better: Group['better']): Group => ({
    title: 't',
    measure: 'm',
    unit: 'µs',
    better,
    against: 'base',
    rounds: 1,
    rows: [],
  })
  const row = (median: number) => ({ name: 'a', value: spread([9]), ratio: spread([median]), goal: 1, gate: 2 })

  it.each([
    ['lower', 1, 'goal', '≤ 1'],
    ['lower', 1.5, 'gate', '≤ 2'],
    ['lower', 2.1, 'missed', '≤ 2'],
    ['higher', 1, 'goal', '≥ 1'],
  ] as const)('where %s is better, %d is: %s', (better, median, verdict, bound) => {
    expect(verdictOf(group(better), row(median))).toBe(verdict)
    expect(boundOf(group(better), row(median), verdict)).toBe(bound)
  })

  it('without goal and gate are held to nothing', () => {
    expect(verdictOf(group('lower'), { name: 'a', value: spread([9]), ratio: null })).toBeNull()
  })

  it.each([
    [0.2449, '×', '0.24'],
    [12.34, '×', '12.3'],
    [123.4, 'µs', '123'],
    [45_678.9, '1/s', '45,679'],
    [3, '', '3'],
    [Number.NaN, '×', '–'],
  ])('%d %s is written %s', (value, unit, text) => {
    expect(formatFigure(value, unit)).toBe(text)
  })
})
