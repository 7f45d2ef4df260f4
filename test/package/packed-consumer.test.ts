/** The tarball in a stranger's project: it installs with jose alone, imports, requires, and types hold their promises. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entryPoints, root } from './entry-points.ts'
import { exportsOf } from './exports-of.ts'
import { openPacked } from './packed.ts'
import { describeStrictProject, LIBS, saidOfDeclarations } from './strict-project.ts'

const packed = await openPacked()

const runNode = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: packed.bare, encoding: 'utf8', stdio: 'pipe' })

describe('a project without any framework', () => {
  it('holds two packages', () => {
    const names = readdirSync(join(packed.bare, 'node_modules')).filter((name) => !name.startsWith('.'))
    expect(names).toEqual(['jose', 'sallyport'])
  })

  const needsPeer = (specifier: string): boolean => specifier === 'sallyport/otel'
  const valuesOf = (file: string): string[] =>
    exportsOf(file).flatMap(({ kind, name }) => (kind === 'value' ? [name] : []))
  const without = entryPoints.filter(({ specifier }) => !needsPeer(specifier))

  // Each in a thread of its own, where none of the others is loaded.
  it('imports each subpath, with exactly the names of the source', () => {
    const script = `
      import { Worker } from 'node:worker_threads'
      const namesOf = (specifier) => new Promise((resolve, reject) => {
        const code = "import { parentPort } from 'node:worker_threads'; import * as all from '" + specifier + "'; parentPort.postMessage(Object.keys(all))"
        new Worker(code, { eval: true }).once('message', resolve).once('error', reject)
      })
      const found = {}
      for (const specifier of ${JSON.stringify(without.map(({ specifier }) => specifier))}) found[specifier] = await namesOf(specifier)
      console.log(JSON.stringify(found))`
    const wanted = Object.fromEntries(without.map(({ specifier, file }) => [specifier, valuesOf(file)]))
    expect(JSON.parse(runNode('--input-type=module', '-e', script))).toEqual(wanted)
  })

  it.each(entryPoints.filter(({ specifier }) => needsPeer(specifier)))(
    'imports $specifier where its peer is installed, else says which is missing',
    ({ specifier, file }) => {
      const importing = `console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`
      const args = ['--input-type=module', '-e', importing]
      const alone = spawnSync(process.execPath, args, { cwd: packed.bare, encoding: 'utf8' })
      expect(alone.stderr).toContain("Cannot find package '@opentelemetry/api'")
      const beside = execFileSync(process.execPath, args, { cwd: packed.typed, encoding: 'utf8' })
      expect(JSON.parse(beside)).toEqual(valuesOf(file))
    },
  )

  it('has a command that knows its version', () => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
    expect(runNode('node_modules/sallyport/dist/cli.js', '--version').trim()).toBe(version)
  })

  it('requires the core', () => {
    const script =
      "const { createAuth, isAuthError } = require('sallyport'); console.log(typeof createAuth, String(isAuthError(1)))"
    expect(runNode('--input-type=commonjs', '-e', script).trim()).toBe('function false')
  })

  it('knows one AuthError across the subpaths, and the process ends by itself', () => {
    const script = `
      const { AuthError, isAuthError } = await import('sallyport')
      const { isAuthError: required } = (await import('node:module')).createRequire(import.meta.url)('sallyport')
      console.log([isAuthError, required].map((is) => is(new AuthError('forbidden'))).join(' '))`
    expect(runNode('--input-type=module', '-e', script).trim()).toBe('true true')
  })
})

describeStrictProject(packed, '@typescript/native')

// TypeScript 6 takes half a minute for it: `peers.long.test.ts` asks it, the oldest and the newest.
it.each(Object.entries(LIBS))('nothing is wrong in the declaration files themselves, %s', (_, lib) => {
  expect(saidOfDeclarations(packed, '@typescript/native', lib)).toEqual([])
})
