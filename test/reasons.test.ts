/** docs/reasons.md: every reason once, answered as the source answers it. What `expected` and `got` say is held with each refusal. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readPage, readReasons, withAnswers } from '../scripts/reasons.ts'

const rows = readReasons()

it('has every member of RefusalReason, once, and no other', () => {
  const source = readFileSync(new URL('../src/reasons.ts', import.meta.url), 'utf8')
  const named = [...source.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, word]) => word)
  expect(named.length).toBeGreaterThan(100)
  expect(rows.map(({ reason }) => reason).sort()).toEqual(named.sort())
})

it('has what each is answered with as the source has it (npm run pages writes it)', () => {
  expect(readPage()).toBe(withAnswers(readPage()))
  expect(rows.filter(({ answered }) => answered === '500').map(({ reason }) => reason)).toEqual(['internal_error'])
})

it('says of each what it means and who mends it', () => {
  for (const { means, mendedBy } of rows) {
    expect(means).toMatch(/\.$/)
    expect(mendedBy).toMatch(/^(?:Client|Host|Issuer|Nobody|It passes by itself)\b.*\.$/)
  }
})
