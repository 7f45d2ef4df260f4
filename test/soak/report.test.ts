import { describe, expect, it } from 'vitest'
import { createJudge } from './judge.ts'
import { parseSoakOptions } from './options.ts'
import { type Ask, rightAnswers } from './oracle.ts'
import { exitCodeOf, reportOf, type Sample, type Seen } from './report.ts'
import { Timeline } from './timeline.ts'

const MB = 1024 * 1024
const FLOOD = { requests: 1000, seconds: 1, grownBytes: MB, wrong: [] }

function seen(more: Partial<Seen> = {}): Seen {
  const answers = new Map([['a token', new Map([['200', 3]])]])
  const counts = { wrong: [], wrongCount: 0, undeclared: 0, unhandled: [], samples: [], events: new Map() }
  return { seed: 7, seconds: 120, answers, ...counts, flood: FLOOD, ...more }
}

const sample = (at: number, rss: number, heap: number): Sample => ({
  ...{ server: 'koa', at, rss: rss * MB, heap: heap * MB },
  delay: [1, 2, 3],
})

describe('a planted wrong answer', () => {
  const ask: Ask = {
    ...{ kind: 'a planted one', storage: new Timeline('there'), from: 0, until: 1, body: { kind: 'none' } },
    server: { name: 'express', keys: new Map() },
    route: { accept: 'user', needs: 'org', status: 200 },
    ...{ credential: { kind: 'none' }, selector: { kind: 'unnamed' } },
  }

  it('is found, counted and told with the seed, and the exit code is 1', async () => {
    const judge = createJudge(0)
    judge.take(ask, { status: 200, headers: {}, body: '{}' }, 'one')
    judge.take(ask, null, 'two')
    judge.take(ask, { status: 500, headers: {}, body: '' }, 'three')
    await judge.compare([])
    expect(rightAnswers(ask)).toHaveLength(1)
    const { answers, wrong, counts } = judge
    const report = reportOf(seen({ answers, wrong, wrongCount: counts.wrong, undeclared: counts.undeclared }))
    expect(exitCodeOf(report)).toBe(1)
    expect(report.broken).toEqual(['3 wrong answers', '1 undeclared 5xx'])
    expect(report.lines.join('\n')).toMatch(
      /wrong: a planted one on express .*\n +got 200 \{\}\n +right .*unauthorized/,
    )
    expect(report.lines.at(-1)).toContain('--seed 7')
  })
})

describe('reportOf', () => {
  it('is well where nothing is broken', () => {
    const report = reportOf(seen({ samples: [sample(40, 100, 20), sample(100, 109, 21)] }))
    expect([report.broken, exitCodeOf(report)]).toEqual([[], 0])
    expect(report.lines).toContain('a token         3  200 × 3')
    expect(report.lines.at(-1)).toBe('all is well')
  })

  it.each<[string, Partial<Seen>, RegExp]>([
    ['no request at all', { answers: new Map() }, /no request/],
    ['unhandled rejections', { unhandled: ['koa: one'] }, /1 unhandled/],
    ['memory that grows', { samples: [sample(40, 100, 20), sample(100, 111, 20)] }, /^rss of koa grew to 111.0 MB$/],
    ['a heap that grows', { samples: [sample(40, 100, 20), sample(100, 100, 23)] }, /^heap of koa grew/],
    ['a flood that leaves much', { flood: { ...FLOOD, grownBytes: 31 * MB } }, /left 31.0 MB/],
    [
      'a flood of which one passed',
      { flood: { ...FLOOD, wrong: ['garbage 1: passed'] } },
      /1 wrong answers in process/,
    ],
  ])('is broken by %s', (_, more, told) => {
    const report = reportOf(seen(more))
    expect(report.broken).toEqual([expect.stringMatching(told)])
    expect(exitCodeOf(report)).toBe(1)
  })

  it('compares memory only after it had time to settle', () => {
    const short = reportOf(seen({ seconds: 20, samples: [sample(7, 100, 20), sample(17, 150, 20)] }))
    expect(exitCodeOf(short)).toBe(0)
    expect(short.lines.join('\n')).toContain('not compared')
  })
})

describe('parseSoakOptions', () => {
  it('has defaults, and takes what is given', () => {
    expect(parseSoakOptions([])).toMatchObject({ seconds: 120, flood: 1_000_000 })
    expect(parseSoakOptions(['--quick', '--seed', '9'])).toEqual({ seconds: 20, seed: 9, flood: 100_000 })
    expect(parseSoakOptions(['--quick', '--seconds', '30', '--flood', '0'])).toMatchObject({ seconds: 30, flood: 0 })
  })

  it.each([['--seconds', 'x'], ['--seconds', '1'], ['--seed', '-1'], ['--flood', '1.5'], ['--slow']])(
    'refuses %s %s',
    (...args) => {
      expect(() => parseSoakOptions(args.filter((each) => each !== undefined))).toThrow()
    },
  )
})
