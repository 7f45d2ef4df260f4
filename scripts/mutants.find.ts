/**
 * Finds every refusal in a source text, and what it would look like without it: the mutants that some test must notice.
 * Syntax only: a text in, places and replacements out. Nothing is written.
 */
import ts from 'typescript'

/** One check taken away. */
export interface Mutant {
  readonly path: string
  readonly line: number
  /**
   * `refusal`: the throw, with the `if` around it, is gone; `check`: a call of a named check is gone; `dress`: a refusal
   * handed on as a value has become an ordinary error.
   */
  readonly kind: 'refusal' | 'check' | 'dress'
  /** The reason of the refusal, or the call. */
  readonly what: string
  readonly start: number
  readonly end: number
  readonly replacement: string
}

const CHECK = /^(?:require|check|refuse|assert)(?=[A-Z])/

/** Find the mutants of one source text, in order. */
export function findMutants(path: string, text: string): Mutant[] {
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: Mutant[] = []
  const add = (node: ts.Node, kind: Mutant['kind'], what: string, replacement: string): void => {
    const start = node.getStart(ast)
    const line = ast.getLineAndCharacterOfPosition(start).line + 1
    found.push({ path, line, kind, what, start, end: node.end, replacement })
  }
  const visit = (node: ts.Node): void => {
    if (isRefusal(node)) mutateRefusal(node, add)
    if (ts.isCallExpression(node)) mutateCheck(node, add)
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return found
}

/** Take the check away. */
export function applyMutant({ start, end, replacement }: Mutant, text: string): string {
  return text.slice(0, start) + replacement + text.slice(end)
}

type Add = (node: ts.Node, kind: Mutant['kind'], what: string, replacement: string) => void

type Refusal = ts.NewExpression | ts.CallExpression

function isRefusal(node: ts.Node): node is Refusal {
  if (ts.isCallExpression(node)) return node.expression.getText() === 'refused'
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'AuthError') return false
  // What hands on what it was called with refuses nothing by itself.
  return node.arguments?.every(ts.isIdentifier) !== true
}

function mutateRefusal(refusal: Refusal, add: Add): void {
  const what = reasonOf(refusal)
  const thrown = refusal.parent
  if (!ts.isThrowStatement(thrown)) {
    add(refusal, 'dress', what, "new Error('mutant')")
    return
  }
  const block = thrown.parent
  const alone = ts.isBlock(block) && block.statements.length === 1 ? block : thrown
  const branch = alone.parent
  if (!ts.isIfStatement(branch) || branch.thenStatement !== alone) add(thrown, 'refusal', what, ';')
  else add(branch, 'refusal', what, branch.elseStatement?.getText() ?? ';')
}

/** The `reason` a refusal gives, or its code. */
function reasonOf({ arguments: given = [] as never }: Refusal): string {
  const [code, details] = given
  const properties = details !== undefined && ts.isObjectLiteralExpression(details) ? [...details.properties] : []
  const reason = properties.find((property) => property.name?.getText() === 'reason')
  const value = reason !== undefined && ts.isPropertyAssignment(reason) ? reason.initializer : code
  return value === undefined ? '' : ts.isStringLiteral(value) ? value.text : value.getText()
}

// A check that hands on what it checked (`requireKnown(role)`) is replaced by its first argument.
function mutateCheck(call: ts.CallExpression, add: Add): void {
  const name = ts.isPropertyAccessExpression(call.expression) ? call.expression.name.text : call.expression.getText()
  if (!CHECK.test(name)) return
  const what = call.getText().replace(/\s+/g, ' ')
  const statement = ts.isAwaitExpression(call.parent) ? call.parent.parent : call.parent
  if (ts.isExpressionStatement(statement)) add(statement, 'check', what, ';')
  else add(call, 'check', what, `(${call.arguments[0]?.getText() ?? 'undefined'})`)
}
