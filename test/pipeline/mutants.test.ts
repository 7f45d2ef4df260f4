/** The mutation tool itself, on a made-up source: what it finds, and what is left when a check is taken away. */
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { applyMutant, findMutants } from '../../scripts/mutants.find.ts'

const SOURCE = `
// throw new AuthError('comment', { reason: 'in_a_comment' })
const text = "throw new AuthError('text', { reason: 'in_a_text' })"
export function enter(request) {
  if (request === null) throw new AuthError('unauthorized', { reason: 'plain_if', absent: true })
  if (request.a) {
    throw new AuthError('forbidden', { reason: 'if_with_block' })
  }
  if (request.b) throw new AuthError('forbidden', { reason: 'if_with_else' })
  else request.count()
  if (request.c) {
    request.log()
    throw new AuthError('forbidden', { reason: 'last_of_a_block' })
  }
  try {
    ladder.requireKnown(request.role)
    const role = ladder.requireKnown(request.role)
    await requireFresh(request)
    requirement(request)
  } catch (cause) {
    throw new AuthError('conflict', { reason: 'in_a_catch', cause })
  }
  return () => new AuthError('not_found', { reason: 'handed_on' })
}
function other() {
  throw new AuthError('conflict')
  throw new TypeError('x')
}
`

const mutants = findMutants('src/made-up.ts', SOURCE)

const changeOf = (what: string, nth = 0): string => {
  const mutant = mutants.filter((each) => each.what === what)[nth]
  if (mutant === undefined) throw new Error(`no mutant ${what}`)
  const mutated = applyMutant(mutant, SOURCE)
  // What stood between the parts that both have in common, and what stands there now.
  let [from, end] = [0, 0]
  while (SOURCE[from] === mutated[from]) from++
  while (SOURCE.at(-1 - end) === mutated.at(-1 - end) && end < mutated.length - from) end++
  return mutated.slice(from, mutated.length - end)
}

describe('the mutation tool', () => {
  it('finds each refusal and each named check, and nothing in comments, texts or other throws', () => {
    expect(mutants.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'refusal plain_if',
      'refusal if_with_block',
      'refusal if_with_else',
      'refusal last_of_a_block',
      'check ladder.requireKnown(request.role)',
      'check ladder.requireKnown(request.role)',
      'check requireFresh(request)',
      'refusal in_a_catch',
      'dress handed_on',
      'refusal conflict',
    ])
    expect(mutants[0]).toMatchObject({ path: 'src/made-up.ts', line: 5 })
  })

  it('takes the whole if away, with its condition', () => {
    for (const reason of ['plain_if', 'if_with_block']) {
      const mutant = mutants.find(({ what }) => what === reason)
      expect(SOURCE.slice(mutant?.start, mutant?.end)).toMatch(/^if .*}\)?$/s)
      expect(mutant?.replacement).toBe(';')
      expect(applyMutant(mutant as never, SOURCE)).not.toContain(reason)
    }
  })

  it('keeps the other branch, and the other statements of a block', () => {
    expect(mutants.find(({ what }) => what === 'if_with_else')?.replacement).toBe('request.count()')
    const mutated = applyMutant(mutants.find(({ what }) => what === 'last_of_a_block') as never, SOURCE)
    expect(mutated).toContain('if (request.c) {\n    request.log()\n    ;\n  }')
  })

  it('drops a check that stands alone, and hands on what another one checked', () => {
    expect(mutants.filter(({ what }) => what.startsWith('ladder')).map(({ replacement }) => replacement)).toEqual([
      ';',
      '(request.role)',
    ])
    expect(mutants.find(({ what }) => what === 'requireFresh(request)')?.replacement).toBe(';')
  })

  it('makes an ordinary error of a refusal that is handed on', () => {
    expect(changeOf('handed_on')).toContain("Error('mutant'")
    expect(applyMutant(mutants.find(({ what }) => what === 'handed_on') as never, SOURCE)).toContain(
      "return () => new Error('mutant')",
    )
  })

  it('leaves sources that parse', () => {
    for (const mutant of mutants) {
      const { diagnostics } = ts.transpileModule(applyMutant(mutant, SOURCE), { reportDiagnostics: true })
      expect(diagnostics, mutant.what).toEqual([])
    }
  })
})
