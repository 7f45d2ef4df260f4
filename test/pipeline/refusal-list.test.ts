/** The list of refusals and the source agree, both ways: a check without a scenario, or a scenario without its check, is red. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { findMutants } from '../../scripts/mutants.find.ts'
import { REFUSAL_REASONS } from '../../src/reasons.ts'
import { REFUSALS } from './refusals.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

// The testing kit throws refusals as made-up steps do; they are not the library's own.
const thrown = readdirSync(`${root}src`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
  .filter((path) => !path.startsWith('src/testing/'))
  .flatMap((path) => findMutants(path, readFileSync(root + path, 'utf8')))
  .filter(({ kind }) => kind !== 'check')
  .map(({ what }) => what)

it('REFUSAL_REASONS names every reason of the source, what adapters refuse and a fault, and no other', () => {
  expect(new Set(REFUSAL_REASONS).size).toBe(REFUSAL_REASONS.length)
  expect([...REFUSAL_REASONS].sort()).toEqual([...thrown, 'path_undecodable', 'internal_error'].sort())
})

it('the list holds every refusal of the source, once, and no other', () => {
  expect(thrown.length).toBeGreaterThan(50)
  expect([...thrown].sort()).toEqual(REFUSALS.map(({ reason }) => reason).sort())
  expect(new Set(thrown).size).toBe(thrown.length)
})
