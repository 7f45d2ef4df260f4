/**
 * TypeScript 6 beside the native compiler, which `npm test` asks: half a minute. By it the package's declarations are made, and many
 * hosts compile.
 */
import { afterAll, expect, it } from 'vitest'
import { root } from '../package/entry-points.ts'
import { compile, compileSnippets } from '../readme/compile-snippets.ts'
import { openSnippets } from '../readme/snippets.ts'

const { path, remove } = openSnippets()
afterAll(remove)

it('compiles the repository', () => {
  expect(compile('typescript', root)).toEqual([])
})

it('compiles the snippets of the pages, and the examples of the docstrings', () => {
  expect(compileSnippets(path, 'typescript')).toEqual([])
})
