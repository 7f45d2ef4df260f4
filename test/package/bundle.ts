/** Bundles of the installed package, minified: what a host's own bundle carries of it. For the budgets, and for `npm run measure`. */
import { build } from 'esbuild'

/** The usual set-up: what the adapters' budgets are about, with one adapter beside it. */
export const CORE =
  "export { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header, supabase } from 'sallyport'"

/**
 * Bundle a module.
 *
 * @param folder the project that has the package installed
 * @param external packages that stay imports, beside those of Node
 */
export async function bundle(folder: string, contents: string, external: readonly string[] = []): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    conditions: ['default'],
    external: [...external],
    write: false,
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

/** What the README's first two snippets take of the package: the set-up, and Express. */
export function quickStartOf(readme: string): string {
  const snippets = ['auth.ts', 'express.ts'].map((name) => readme.split(`\`\`\`ts ${name}\n`)[1]?.split('```')[0] ?? '')
  const lines = snippets.join('\n').match(/^import \{[^}]*\} from 'sallyport[^']*'$/gm) ?? []
  if (lines.length < 2) throw new Error('README.md: no quick start')
  return lines.join('\n').replaceAll(/^import/gm, 'export')
}
