/** The frameworks and test runners that recipes are written for, as the lock file says, and the package as it is packed beside them. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from '../package/pack.ts'

const sources = fileURLToPath(new URL('.', import.meta.url))
// Not below node_modules, where frameworks take a host's own code for a package's.
const place = fileURLToPath(new URL('../../.data/recipes/', import.meta.url))

/** Install them; the folder, with a slash at its end, below which programs find them. */
export async function installPeers(): Promise<string> {
  mkdirSync(place, { recursive: true })
  const wanted = readFileSync(`${sources}package-lock.json`, 'utf8')
  const done = `${place}installed.json`
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    rmSync(done, { force: true })
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(sources + name, place + name)
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], place)
    // Written last: without it nothing counts as installed.
    writeFileSync(done, wanted)
  }
  await installPackage()
  return place
}

/** The executable of Bun: its package would link it in a script at install time. */
export const bunOf = (place: string): string => `${place}node_modules/@oven/bun-linux-x64/bin/bun`

async function installPackage(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-recipes-'))
  try {
    const { failure, tarball } = await pack(folder)
    if (failure !== null) throw new Error(failure)
    const installed = `${place}node_modules/sallyport`
    rmSync(installed, { recursive: true, force: true })
    mkdirSync(installed)
    run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'], place)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// The settings of the npm that runs the tests are not those of the folder.
function run(command: string, args: readonly string[], cwd: string): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
}
