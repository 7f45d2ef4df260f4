/**
 * The names a door hands out, found by following its re-exports to the declaration: what the exports snapshot fixes and
 * where the docstrings are looked for. Works on source texts; the source reader is handed in.
 */
import ts from 'typescript'
import { readSource, type SourceFile } from './source-file.ts'

export interface ExportedName {
  readonly name: string
  /** What is left of it at run time. */
  readonly kind: 'value' | 'type'
  readonly hasDocstring: boolean
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
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function reExportedNames(
  source: SourceFile,
  statement: ts.ExportDeclaration,
  read: (path: string) => string,
): ExportedName[] {
  const { exportClause, moduleSpecifier } = statement
  if (exportClause === undefined || !ts.isNamedExports(exportClause) || moduleSpecifier === undefined) {
    throw new Error(`${source.path}: exports must be named one by one: ${statement.getText()}`)
  }
  const specifier = (moduleSpecifier as ts.StringLiteral).text
  const target = source.imports.find((line) => line.specifier === specifier)?.path
  if (target === undefined || target === null) throw new Error(`${source.path}: re-exports a package: ${specifier}`)
  const there = listExportedNames(target, read)
  return exportClause.elements.map((element): ExportedName => {
    const original = (element.propertyName ?? element.name).text
    const declared = there.find(({ name }) => name === original)
    if (declared === undefined) throw new Error(`${target} does not export ${original}`)
    const isType = statement.isTypeOnly || element.isTypeOnly
    return { ...declared, name: element.name.text, kind: isType ? 'type' : declared.kind }
  })
}

type Declared = Omit<ExportedName, 'path'>

function declaredNames(statement: ts.Statement): Declared[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : []
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
  // A type and a constructor of the same name are one export; an overload's docstring may stand on its first signature.
  const hasDocstring = ts.getJSDocCommentsAndTags(statement).length > 0
  const kind = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) ? 'type' : 'value'
  if (ts.isVariableStatement(statement)) {
    const declarations = [...statement.declarationList.declarations]
    return declarations.map(({ name }) => ({ name: name.getText(), kind, hasDocstring }))
  }
  const { name } = statement as unknown as { readonly name?: ts.Identifier }
  return [{ name: name?.text ?? 'default', kind, hasDocstring }]
}
