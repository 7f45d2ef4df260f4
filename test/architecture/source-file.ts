/**
 * What the checker sees of one source file: its import lines, its lines of code, its functions, the globals it touches
 * and the refusals it throws. Syntax only: no types are resolved.
 */
import { posix } from 'node:path'
import ts from 'typescript'

export interface ImportLine {
  /** As written: `../errors.ts`, `node:http`, `jose`. */
  readonly specifier: string
  /** For a relative specifier the path it leads to, else `null`. */
  readonly path: string | null
  readonly typeOnly: boolean
  /** Written as `import * as name`. */
  readonly namespace: boolean
  /** The names asked for, as the other file calls them. */
  readonly names: readonly string[]
}

/** A function, method or constructor with a body. */
export interface SourceFunction {
  readonly name: string
  readonly codeLines: number
  /** How many parameters it takes; `this` is none. */
  readonly parameters: number
}

export interface SourceFile {
  readonly path: string
  readonly ast: ts.SourceFile
  readonly imports: readonly ImportLine[]
  readonly codeLines: number
  readonly functions: readonly SourceFunction[]
  /** How often `as unknown as` is written. */
  readonly castsThroughUnknown: number
  /** Every name it declares, members and locals too. */
  readonly declared: ReadonlySet<string>
  /** Globals and calls worth a rule: `process`, `console`, `Buffer`, `Math.random`, `Date.now()`, `new Date()` … */
  readonly globals: ReadonlySet<string>
  /** The `reason` of each `new AuthError(…)` and `refused(…)`, `null` where it has none. */
  readonly refusals: readonly (string | null)[]
  readonly hasHeadComment: boolean
  readonly reExportsOnly: boolean
}

// The same files are asked for again and again, by each name that an entry point hands on.
const read = new Map<string, SourceFile>()

/** Read one file. `path` is relative to the repository, with forward slashes. */
export function readSource(path: string, text: string): SourceFile {
  const known = read.get(path)
  if (known?.ast.text === text) return known
  const source = parseSource(path, text)
  read.set(path, source)
  return source
}

function parseSource(path: string, text: string): SourceFile {
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lines = linesOfCode(ast)
  const countLines = (node: ts.Node): number => {
    const first = ast.getLineAndCharacterOfPosition(node.getStart(ast)).line
    const last = ast.getLineAndCharacterOfPosition(node.end).line
    return [...lines].filter((line) => line >= first && line <= last).length
  }
  const nodes = everyNode(ast)
  return {
    path,
    ast,
    imports: nodes.flatMap((node) => toImportLine(path, node) ?? []),
    codeLines: lines.size,
    functions: nodes
      .filter((node) => ts.isFunctionLike(node))
      .filter((node) => 'body' in node && node.body !== undefined)
      .map((node) => ({ name: nameOf(node), codeLines: countLines(node), parameters: countParameters(node) })),
    castsThroughUnknown: nodes.filter(isCastThroughUnknown).length,
    declared: new Set(nodes.flatMap((node) => declaredBy(node) ?? [])),
    globals: new Set(nodes.flatMap((node) => globalOf(node) ?? [])),
    refusals: nodes.flatMap((node) => (isRefusal(node) ? [reasonOf(node)] : [])),
    hasHeadComment: /^(#!.*\n)?(\/\*\*|\/\/)/.test(text),
    reExportsOnly: ast.statements.every((statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier),
  }
}

function everyNode(root: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    nodes.push(node)
    ts.forEachChild(node, visit)
  }
  visit(root)
  return nodes
}

// A line counts if any token stands on it; a template literal counts with all its lines.
function linesOfCode(ast: ts.SourceFile): Set<number> {
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return
    const children = node.getChildren(ast)
    for (const child of children) visit(child)
    if (children.length > 0 || node.end === node.getStart(ast)) return
    const last = ast.getLineAndCharacterOfPosition(node.end).line
    for (let line = ast.getLineAndCharacterOfPosition(node.getStart(ast)).line; line <= last; line++) lines.add(line)
  }
  visit(ast)
  return lines
}

function toImportLine(from: string, node: ts.Node): ImportLine | null {
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [target] = node.arguments
    const specifier = target !== undefined && ts.isStringLiteral(target) ? target.text : '(computed)'
    return line(from, specifier, { typeOnly: false, namespace: false, names: [] })
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return line(from, node.argument.literal.text, { typeOnly: true, namespace: false, names: [] })
  }
  if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return null
  if (node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) return null
  return line(from, node.moduleSpecifier.text, ts.isImportDeclaration(node) ? imported(node) : reExported(node))
}

type Asked = Pick<ImportLine, 'typeOnly' | 'namespace' | 'names'>

function line(from: string, specifier: string, asked: Asked): ImportLine {
  const path = specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null
  return { specifier, path, ...asked }
}

function imported({ importClause: clause }: ts.ImportDeclaration): Asked {
  const bindings = clause?.namedBindings
  const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : []
  const typeOnly =
    clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
    (elements.length > 0 && clause?.name === undefined && elements.every((element) => element.isTypeOnly))
  const names = elements.map((element) => (element.propertyName ?? element.name).text)
  return {
    typeOnly,
    namespace: bindings !== undefined && ts.isNamespaceImport(bindings),
    names: clause?.name === undefined ? names : ['default', ...names],
  }
}

function reExported({ isTypeOnly, exportClause }: ts.ExportDeclaration): Asked {
  const elements = exportClause !== undefined && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []
  const typeOnly = isTypeOnly || (elements.length > 0 && elements.every((element) => element.isTypeOnly))
  return { typeOnly, namespace: false, names: elements.map((element) => (element.propertyName ?? element.name).text) }
}

function nameOf(node: ts.Node): string {
  const named = node as { readonly name?: ts.Node }
  if (named.name !== undefined) return named.name.getText()
  if (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent)) return node.parent.name.getText()
  return '(anonymous)'
}

function declaredBy(node: ts.Node): string | null {
  const { name } = node as { readonly name?: ts.Node }
  return name !== undefined && ts.isIdentifier(name) && !ts.isPropertyAccessExpression(node) ? name.text : null
}

function countParameters({ parameters }: ts.SignatureDeclaration): number {
  return parameters.filter(({ name }) => name.getText() !== 'this').length
}

function isCastThroughUnknown(node: ts.Node): boolean {
  return (
    ts.isAsExpression(node) &&
    ts.isAsExpression(node.expression) &&
    node.expression.type.kind === ts.SyntaxKind.UnknownKeyword
  )
}

const WATCHED = new Set(['process', 'console', 'Buffer', 'require', '__dirname', '__filename', 'performance'])

function globalOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) {
    const text = node.getText()
    if (text === 'Math.random') return text
    if (node.name.text === 'getBuiltinModule') return 'getBuiltinModule'
    return node.expression.getText() === 'globalThis' && WATCHED.has(node.name.text) ? node.name.text : null
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'Date.now') return 'Date.now()'
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()'
  if (!ts.isIdentifier(node) || !WATCHED.has(node.text)) return null
  const { parent } = node
  const isKey = 'name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent)
  return isKey ? null : node.text
}

function isRefusal(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  if (ts.isCallExpression(node)) return node.expression.getText() === 'refused'
  return ts.isNewExpression(node) && node.expression.getText() === 'AuthError'
}

function reasonOf({ arguments: given }: ts.NewExpression | ts.CallExpression): string | null {
  const details = given?.[1]
  if (details === undefined || !ts.isObjectLiteralExpression(details)) return null
  const reason = details.properties.find((property) => property.name?.getText() === 'reason')
  if (reason === undefined || !ts.isPropertyAssignment(reason)) return null
  return ts.isStringLiteral(reason.initializer) ? reason.initializer.text : null
}
