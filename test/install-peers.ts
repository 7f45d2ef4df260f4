/** Packages of other people that a proof runs against: installed at its first start, as the lock file of its folder says. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Install what `package.json` and `package-lock.json` of a folder name in another one, unless it is there. Both end in a
 * slash. Not beside the sources: what reads the tree would read it all.
 */
export function installPeers(sources: string, place: string, begins: () => void = () => {}): void {
  mkdirSync(place, { recursive: true })
  const wanted = readFileSync(`${sources}package-lock.json`, 'utf8')
  // Written last: without it nothing counts as installed.
  const done = `${place}installed.json`
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return
  begins()
  rmSync(done, { force: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(sources + name, place + name)
  run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], place)
  writeFileSync(done, wanted)
}

/** Run a program in a folder. The settings of the npm that runs this one are not those of the folder. */
export function run(command: string, args: readonly string[], cwd: string): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
}
