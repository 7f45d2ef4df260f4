/** The type cases (D2), compiled with the repository's own settings: one program, each case judged by its exact errors. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}test/types/`
const pathOf = (index: number): string => `${folder}case-${index}.ts`

function compileCases(): Map<string, ts.Diagnostic[]> {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, root)
  // The cases share one prelude, of which each uses a part.
  const options = { ...parsed.options, noUnusedLocals: false }
  const virtual = new Map(CASES.map(({ code }, index) => [pathOf(index), code]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => virtual.has(path) || fileExists(path)
  host.readFile = (path) => virtual.get(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const code = virtual.get(path)
    return code === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, code, language as ts.ScriptTarget, true)
  }
  const program = ts.createProgram([...virtual.keys(), `${folder}hosts.ts`], options, host)
  const found = new Map<string, ts.Diagnostic[]>()
  for (const path of [...virtual.keys(), `${folder}hosts.ts`]) {
    found.set(path, [...ts.getPreEmitDiagnostics(program, program.getSourceFile(path))])
  }
  return found
}

const diagnostics = compileCases()
const codesOf = (path: string): number[] => (diagnostics.get(path) ?? []).map(({ code }) => code)
const sentencesOf = (path: string): string =>
  (diagnostics.get(path) ?? []).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n')

describe('types (D2)', () => {
  it('are inferred as the hosts declare them', () => {
    expect(codesOf(`${folder}hosts.ts`), sentencesOf(`${folder}hosts.ts`)).toEqual([])
  })

  it.each(CASES.map((each, index) => ({ ...each, path: pathOf(index) })))('$name: $errors', ({ path, errors }) => {
    expect(codesOf(path), sentencesOf(path)).toEqual(errors)
  })
})
