/** The command `sallyport` itself: its help, its version, and a command that is none. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { programOf } from '../program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = await programOf('src/cli/main.ts')
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }

function sallyport(...args: string[]): { readonly code: number | null; readonly out: string; readonly said: string } {
  const run = [program, ...args]
  // Anywhere: what it says of itself does not hang on the working directory.
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: '/', encoding: 'utf8' })
  return { code: status, out: stdout, said: stderr }
}

it('--version says which this is, as package.json does', () => {
  expect(sallyport('--version')).toEqual({ code: 0, out: `${version}\n`, said: '' })
})

it('--help names its commands, and how to learn the version', () => {
  const { code, out } = sallyport('--help')
  expect([code, out.includes('migrate'), out.includes('--version')]).toEqual([0, true, true])
})

it.each([[[]], [['version']], [['--versoin']]])('%j is no command: exit code 2, said on stderr', (args) => {
  const { code, out, said } = sallyport(...args)
  expect([code, out]).toEqual([2, ''])
  expect(said).toContain('Usage: sallyport <command>')
})
