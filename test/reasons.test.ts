/** docs/reasons.md and what is said of reasons: every reason once, answered as the source answers it. What `expected` and `got` hold is held with each refusal. */
import { expect, it } from 'vitest'
import { readAnswers, readPage, withTables } from '../scripts/reasons.ts'
import { reasonSections, reasonTexts } from '../src/explain/reason-texts.ts'
import { REFUSAL_REASONS } from '../src/reasons.ts'

const said = Object.values(reasonSections()).flatMap((texts) => Object.keys(texts))

it('every one of REFUSAL_REASONS is told of, once, and no other', () => {
  expect(REFUSAL_REASONS.length).toBeGreaterThan(100)
  expect([...said].sort()).toEqual([...REFUSAL_REASONS].sort())
})

it('every one has an answer in the source, but the fault that is none', () => {
  const answers = readAnswers()
  expect(said.filter((reason) => !answers.has(reason))).toEqual(['internal_error'])
})

it('the page has the tables as the source has them (npm run pages writes them)', () => {
  expect(readPage()).toBe(withTables(readPage()))
})

it('each has a headline that stands alone and somebody who can mend it', () => {
  for (const [reason, { headline, says = headline, try: remedies, expected, got }] of reasonTexts()) {
    expect(headline, reason).toMatch(/^(?:[a-z`]|Node |Express ).*[^.]$/)
    expect(headline.length, reason).toBeLessThan(110)
    expect(Object.values(remedies).length, reason).toBeGreaterThan(0)
    for (const remedy of Object.values(remedies)) expect(remedy, reason).toMatch(/^[a-zP`].*[^.]$/)
    // Only what a refusal holds can be told of it.
    if (expected === undefined) expect(says).not.toContain('{expected}')
    if (got === undefined) expect(says).not.toContain('{got}')
  }
})
