/**
 * Whoever compiles with `exactOptionalPropertyTypes` hands in what a variable may not hold: every optional member that the
 * library's types declare takes `undefined`, and at run time it is as left out.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import {
  createTokenIssuer,
  startSupabaseIssuer,
  testApiKeyContext,
  testContext,
  testIdentity,
  testUser,
} from '../../src/testing/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The optional members of a file's types whose written type leaves `undefined` out, and `Partial` where options are declared. */
function optionalWithoutUndefined(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(root + path, 'utf8'), ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if ((ts.isPropertySignature(node) || ts.isMappedTypeNode(node)) && hasQuestionMark(node)) {
      const takes = ts.SyntaxKind
      const kinds = node.type === undefined ? [] : ts.isUnionTypeNode(node.type) ? node.type.types : [node.type]
      if (!kinds.some(({ kind }) => [takes.UndefinedKeyword, takes.UnknownKeyword, takes.AnyKeyword].includes(kind))) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart())
        found.push(`${path}:${line + 1} ${node.getText()}`)
      }
      if (ts.isPropertySignature(node) && node.type?.getText().includes('Partial<')) {
        found.push(`${path} ${node.getText()}`)
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const statement of source.statements) {
    const isExported = ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.[0]?.kind === EXPORT
    if (!isExported) continue
    // Of a function what it takes; what it does inside is its own affair.
    if (ts.isFunctionDeclaration(statement)) statement.parameters.forEach(visit)
    else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) visit(statement)
  }
  return found
}

const EXPORT = ts.SyntaxKind.ExportKeyword

function hasQuestionMark({ questionToken }: ts.PropertySignature | ts.MappedTypeNode): boolean {
  return questionToken !== undefined && questionToken.kind !== ts.SyntaxKind.MinusToken
}

describe('every optional member', () => {
  const files = ['src', 'adapters'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )

  it('of a declared type takes undefined', () => {
    expect(files.length).toBeGreaterThan(100)
    // But those by which createAuth knows more than identities: by a value that got lost nothing may open.
    const isRefused = (line: string): boolean =>
      /auth-options\.ts:\d+ readonly (?:roles|storage|users|orgs)\?/.test(line)
    expect(files.flatMap(optionalWithoutUndefined).filter((line) => !isRefused(line))).toEqual([])
  })
})

describe('undefined is as left out', () => {
  it('in the contexts of the testing kit', () => {
    const nothing = { issuer: undefined, subject: undefined, email: undefined, expiresAt: undefined, claims: undefined }
    expect(testIdentity(nothing)).toEqual(testIdentity())
    expect(testUser({ id: undefined, email: undefined, disabled: undefined })).toEqual(testUser())
    expect(testContext({ user: undefined, org: undefined, role: undefined, identity: nothing })).toEqual(testContext())
    expect(testContext({ needs: 'user', user: undefined, role: undefined, identity: undefined })).toEqual(
      testContext({ needs: 'user' }),
    )
    const key = { id: undefined, name: undefined, permissions: undefined, org: undefined, role: undefined }
    expect(testApiKeyContext(key)).toEqual(testApiKeyContext())
  })

  it('in its issuers', async () => {
    const issuer = await createTokenIssuer({ algorithms: ['ES256'], clock: undefined, audience: undefined })
    expect(issuer.key('ES256').kid).toBe('es256-1')
    const user = { email: 'ada@example.test', password: 'x' }
    const supabase = await startSupabaseIssuer({
      users: undefined,
      secret: undefined,
      clock: undefined,
      port: undefined,
    })
    const { id } = supabase.addUser({ ...user, id: undefined, claims: undefined })
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await supabase.close()
  })
})
