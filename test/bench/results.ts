/** The results of a run as they lie in a file: machine, versions, when, and the sections. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Section } from './section.ts'

/** One run. */
export interface Results {
  readonly command: string
  /** `2026-11-30`. */
  readonly date: string
  readonly minutes: number
  readonly machine: Machine
  /** Node, OpenSSL, V8, the package and every peer, by name. */
  readonly versions: Readonly<Record<string, string>>
  /** By the word that `--only` takes. */
  readonly sections: Readonly<Record<string, Section>>
}

/** What it ran on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly system: string
  /** Processes that wanted a core in the minute before. */
  readonly load: number
}

/** The machine as it is now. */
export function describeMachine(): Machine {
  const all = cpus()
  return {
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('.').slice(0, 2).join('.')}`,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

/** The versions of Node, what is in it, and of all that is installed by name in a folder. */
export function readVersions(folder: string): Record<string, string> {
  const { dependencies } = readPackage(`${folder}package.json`)
  const names = ['sallyport', ...Object.keys(dependencies ?? {})]
  const installed = names.map((name) => [name, readPackage(`${folder}node_modules/${name}/package.json`).version])
  const { node, openssl, v8 } = process.versions
  return { Node: node, OpenSSL: openssl ?? '', V8: v8 ?? '', ...Object.fromEntries(installed) }
}

interface PackageFile {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

function readPackage(path: string): PackageFile {
  return JSON.parse(readFileSync(path, 'utf8')) as PackageFile
}
