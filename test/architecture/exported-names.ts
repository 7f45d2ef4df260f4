/**
 * The names an entry point hands out, found by following its re-exports to the declaration: what the exports snapshot fixes and
 * where the docstrings are looked for. Works on source texts; the source reader is handed in.
 */
import ts from 'typescript'
import { readSource, type SourceFile } from './source-file.ts'

export interface ExportedName {
  readonly name: string
  /** What is left of it at run time. */
  readonly kind: 'value' | 'type'
  readonly hasDocstring: boolean
  /** Whether its docstring shows a use of it; `null` where it is neither a function nor a class. */
  readonly hasExample: boolean | null
  /** The file that declares it. */
  readonly path: string
}

/**
 * List what `path` exports, sorted by name.
 *
 * @param read the text of a file by its path; throws for a file that isn't there
 */
export function listExportedNames(path: string, read: (path: string) => string): ExportedName[] {
  const source = readSource(path, read(path))
  const found = source.ast.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement)
      ? reExportedNames(source, statement, read)
      : declaredNames(statement).map((each) => ({ ...each, path })),
  )
  return mergeByName(found).sort((a, b) => (a.name < b.name ? -1 : 1))
}

// Overloads, and a type beside a value of its name, are one export.
function mergeByName(found: readonly ExportedName[]): ExportedName[] {
  const merged = new Map<string, ExportedName>()
  for (const each of found) {
    const before = merged.get(each.name)
    const kind = before?.kind === 'value' ? 'value' : each.kind
    merged.set(each.name, {
      ...each,
      kind,
      hasDocstring: each.hasDocstring || before?.hasDocstring === true,
      hasExample: before?.hasExample === true ? true : (each.hasExample ?? before?.hasExample ?? null),
    })
  }
  return [...merged.values()]
}

function reExportedNames(
  source: SourceFile,
  statement: ts.ExportDeclaration,
  read: (path: string) => string,
): ExportedName[] {
  const { exportClause, moduleSpecifier } = statement
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
    throw new Error(`${source.path}: exports must be named one by one: ${statement.getText()}`)
  }
  const specifier = moduleSpecifier === undefined ? null : (moduleSpecifier as ts.StringLiteral).text
  return exportClause.elements.map((element): ExportedName => {
    const original = (element.propertyName ?? element.name).text
    const declared = findDeclared(source, original, specifier, read)
    const isType = statement.isTypeOnly || element.isTypeOnly
    return { ...declared, name: element.name.text, kind: isType ? 'type' : declared.kind }
  })
}

// Follow a name to where it is declared: through the re-export's own specifier, or through the import that brought it.
function findDeclared(
  source: SourceFile,
  name: string,
  specifier: string | null,
  read: (path: string) => string,
): ExportedName {
  const line = source.imports.find((each) =>
    specifier === null ? each.names.includes(name) : each.specifier === specifier,
  )
  const target = line?.path ?? null
  if (target === null) throw new Error(`${source.path}: ${name} comes from no file of ours`)
  const declared = listExportedNames(target, read).find((each) => each.name === name)
  if (declared === undefined) throw new Error(`${target} does not export ${name}`)
  return declared
}

type Declared = Omit<ExportedName, 'path'>

function declaredNames(statement: ts.Statement): Declared[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : []
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
  // Before the first statement of a file the head comment stands too, and documents nothing else.
  const comments = (statement as { readonly jsDoc?: readonly ts.JSDoc[] }).jsDoc ?? []
  const hasDocstring = comments.length > (statement.pos === 0 ? 1 : 0)
  const isCalled = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
  const hasExample = isCalled ? /@example\s*\*\s*[^\s/]/.test(comments.at(-1)?.getText() ?? '') : null
  const kind = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) ? 'type' : 'value'
  if (ts.isVariableStatement(statement)) {
    const declarations = [...statement.declarationList.declarations]
    return declarations.map(({ name }) => ({ name: name.getText(), kind, hasDocstring, hasExample }))
  }
  const { name } = statement as unknown as { readonly name?: ts.Identifier }
  return [{ name: name?.text ?? 'default', kind, hasDocstring, hasExample }]
}
