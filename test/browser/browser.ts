/**
 * A real browser: `CHROMIUM_PATH`, else the system's Chromium, else the one inside `@sparticuz/chromium`. Started by our own
 * arguments: that package's would switch off the very rules of cookies and origins that are tested here.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Launch it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? findOnPath() ?? (await unpack())
  return chromium.launch({ executablePath, args: ARGUMENTS, timeout: 30_000 })
}

function findOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

// Where these libraries are missing it unpacks its own, but only if it is told that this is such a place.
async function unpack(): Promise<string> {
  const folders = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/lib64']
  const hasLibraries = ['libnss3.so', 'libnspr4.so'].every((name) =>
    folders.some((folder) => existsSync(join(folder, name))),
  )
  if (!hasLibraries) process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x'
  const { default: packed } = await import('@sparticuz/chromium')
  return packed.executablePath()
}
