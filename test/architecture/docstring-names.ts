/**
 * The names that comments mention: what `{@link …}` points to, what is written as a call in backticks, and each word in
 * backticks with a capital inside. A name that the code does not know is stale, or a slip. Works on source texts.
 */
import ts from 'typescript'
import type { SourceFile } from './source-file.ts'

/** Names of others that comments may mention: of the language, of a framework, of SQL. */
const OUTSIDE: readonly string[] = ['AggregateError', 'AppEnv', 'timestamptz', 'CAST']

/** List what comments name and no file declares or writes, as `path: name`. */
export function unknownNames(files: readonly SourceFile[]): string[] {
  const known = new Set([...OUTSIDE, ...files.flatMap(wordsOf)])
  return files.flatMap((file) => {
    const unknown = commentsOf(file)
      .flatMap(namesIn)
      .filter((name) => !known.has(name))
    return [...new Set(unknown)].map((name) => `${file.path}: ${name}`)
  })
}

// Identifiers and literals: an option may be known as a property and as the text of its name.
function wordsOf({ ast }: SourceFile): string[] {
  const words: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isStringLiteral(node)) words.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return words
}

// What an example calls is compiled elsewhere, or stands for the host's own.
function commentsOf({ ast }: SourceFile): string[] {
  const comments = ast.text.match(/\/\*\*[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm) ?? []
  return comments.map((comment) => comment.replace(/@example[\s\S]*?(?=\n\s*\*\s*@|\*\/)/g, ''))
}

function namesIn(comment: string): string[] {
  const links = [...comment.matchAll(/\{@link\s+([\w$.]+)/g)].map(([, target = '']) => target)
  const quoted = [...comment.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)
  const calls = quoted.flatMap((text) => /^([\w$.]+)\(/.exec(text)?.[1]?.split('.').at(-1) ?? [])
  const words = quoted.flatMap((text) => text.match(/[\w$]*[a-z][A-Z][\w$]*/g) ?? [])
  return [...links.flatMap((link) => link.split('.')), ...calls, ...words]
}
