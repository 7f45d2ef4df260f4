// Bundles what is measured in processes of its own, as a host runs it: `tsx` names every function again whenever it is made.
import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Bundle a file of the repository with the package and zod in it, use it, and clear it away. */
export async function withBuilt<T>(entry: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = `${root}.data/bench-${process.pid}/`
  mkdirSync(folder, { recursive: true })
  try {
    await build({
      entryPoints: [`${root}${entry}`],
      outfile: `${folder}built.mjs`,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      external: ['node:*', 'jose', 'express', 'koa', 'hono', '@hono/node-server'],
      mainFields: ['module', 'main'],
      logLevel: 'silent',
    })
    return await use(`${folder}built.mjs`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
