/**
 * The walk as a whole: every refusal of the source is provoked here and answered to the byte; where a request has two
 * defects the earlier check speaks; a check that guards one line only has a case that needs that line.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findMutants } from '../scripts/mutants.find.ts'
import { createWorld, refusalOf } from './corridor/world.ts'
import { bytesOf } from './refusal-bytes.ts'
import { REFUSALS } from './walk-refusals.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

// The testing kit throws refusals as made-up rooms do; they are not the library's own.
const thrown = readdirSync(`${root}src`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
  .filter((path) => !path.startsWith('src/testing/'))
  .flatMap((path) => findMutants(path, readFileSync(root + path, 'utf8')))
  .filter(({ kind }) => kind !== 'check')
  .map(({ what }) => what)

describe('the list of refusals', () => {
  it('holds every refusal of the source, once, and no other', () => {
    expect(thrown.length).toBeGreaterThan(50)
    expect([...thrown].sort()).toEqual(REFUSALS.map(({ reason }) => reason).sort())
    expect(new Set(thrown).size).toBe(thrown.length)
  })
})

describe('each refusal', () => {
  it.each(REFUSALS)('$reason is $code, to the byte', async ({ reason, code, wire, provoke }) => {
    const world = createWorld()
    const error = await refusalOf(async () => provoke(world))
    expect(error.reason).toBe(reason)
    expect(error.code).toBe(code)
    const { status, headers, body } = bytesOf(code, wire)
    expect(world.auth.toResponse(error)).toEqual({ status, headers, body })
    expect(JSON.stringify([headers, body])).not.toContain(reason === code ? '\0' : reason)
  })
})
