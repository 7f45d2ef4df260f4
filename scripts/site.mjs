/**
 * The site of docs/: `dev` serves it while one writes, `build` puts it into .data/site; before either the reference is made
 * from the docstrings. What makes both is installed beside the pages, by a lock file of its own, so that `npm ci` stays as
 * light as it is.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const docs = fileURLToPath(new URL('../docs/', import.meta.url))
const [command = 'dev', ...more] = process.argv.slice(2)

const [lock, installed] = [`${docs}package-lock.json`, `${docs}node_modules/.lock-installed.json`]
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== readFileSync(lock, 'utf8')) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'])
  copyFileSync(lock, installed)
}
run(process.execPath, [`${docs}.vitepress/reference.mjs`])
run(process.execPath, [`${docs}node_modules/vitepress/bin/vitepress.js`, command, '.', ...more])

function run(program, given) {
  const { status } = spawnSync(program, given, { cwd: docs, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
