/**
 * What an example must not do by hand: read a credential header, verify a token, compare a secret, set a cookie,
 * write an error body, compare roles, answer a conflict. Goes by identifiers and literals, and so finds the plain ways of
 * doing it.
 */
import ts from 'typescript'
import type { SourceFile } from './source-file.ts'

const CREDENTIAL_HEADER = /^(authorization|cookie|x-[a-z-]*(secret|key|token)[a-z-]*)$/i

// Names that mean one thing wherever they come from.
const DEEDS: Readonly<Record<string, string>> = {
  jwtVerify: 'verifies a token',
  jwtDecrypt: 'verifies a token',
  decodeJwt: 'verifies a token',
  compactVerify: 'verifies a token',
  createVerify: 'verifies a token',
  createHmac: 'verifies a token',
  createRemoteJWKSet: 'verifies a token',
  createLocalJWKSet: 'verifies a token',
  timingSafeEqual: 'compares a secret',
  setCookie: 'sets a cookie',
  clearCookie: 'sets a cookie',
  toAuthResponse: 'writes an error body',
}

/** Whether the file makes an auth: then it is the example's set-up. */
export function callsCreateAuth({ ast }: SourceFile): boolean {
  return everyNode(ast).some((node) => ts.isCallExpression(node) && node.expression.getText() === 'createAuth')
}

/** What the file does that the library is there for. The demo asks and judges: it stands where a client stands. */
export function handWork({ path, ast }: SourceFile): string[] {
  if (path.startsWith('examples/demo/')) return []
  return [...new Set(everyNode(ast).flatMap((node) => deedOf(node) ?? []))]
}

function deedOf(node: ts.Node): string | null {
  if (ts.isIdentifier(node) && Object.hasOwn(DEEDS, node.text)) return DEEDS[node.text] as string
  if (ts.isStringLiteralLike(node) && /^set-cookie$/i.test(node.text)) return 'sets a cookie'
  if (readsCredential(node)) return 'reads a credential header'
  if (ts.isCallExpression(node) && memberOf(node) === 'cookie') return 'sets a cookie'
  if (comparesRoles(node)) return 'compares roles'
  if (isConflict(node)) return 'answers a conflict'
  return isErrorBody(node) ? 'writes an error body' : null
}

// `req.get('authorization')`, `c.req.header('Cookie')`, `headers['authorization']`, `req.headers.authorization`.
function readsCredential(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) {
    const [first] = node.arguments
    const isReader = ['get', 'header', 'lines', 'getHeader'].includes(memberOf(node) ?? '')
    return isReader && first !== undefined && ts.isStringLiteralLike(first) && CREDENTIAL_HEADER.test(first.text)
  }
  if (ts.isElementAccessExpression(node)) {
    const { argumentExpression: name } = node
    return isHeaders(node.expression) && ts.isStringLiteralLike(name) && CREDENTIAL_HEADER.test(name.text)
  }
  return ts.isPropertyAccessExpression(node) && isHeaders(node.expression) && CREDENTIAL_HEADER.test(node.name.text)
}

const COMPARISONS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
])

// `role === 'owner'`, `member.role !== context.role`. Whether there is a role at all, and whether it is the one that a storage is
// asked for, are other questions.
function comparesRoles(node: ts.Node): boolean {
  if (!ts.isBinaryExpression(node) || !COMPARISONS.has(node.operatorToken.kind)) return false
  const sides = [node.left, node.right]
  const isRole = sides.map((side) => /(^|\.)\w*role$/i.test(side.getText()))
  return isRole.includes(true) && sides.every((side, index) => isRole[index] || ts.isStringLiteralLike(side))
}

function isConflict(node: ts.Node): boolean {
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'AuthError') return false
  const code = node.arguments?.[0]
  return code !== undefined && ts.isStringLiteralLike(code) && code.text === 'conflict'
}

function isHeaders(node: ts.Expression): boolean {
  return /(^|\.)headers$/.test(node.getText())
}

function memberOf({ expression }: ts.CallExpression): string | null {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : null
}

// `{ error: { code: … } }`, or a body of RFC 9457.
function isErrorBody(node: ts.Node): boolean {
  if (!ts.isObjectLiteralExpression(node)) return false
  const names = node.properties.map((property) => property.name?.getText())
  const error = node.properties.find((property) => property.name?.getText() === 'error')
  const within = error !== undefined && ts.isPropertyAssignment(error) ? error.initializer : null
  const isOurs = within !== null && ts.isObjectLiteralExpression(within) && /\bcode\b/.test(within.getText())
  return isOurs || (names.includes('type') && names.includes('title') && names.includes('status'))
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
