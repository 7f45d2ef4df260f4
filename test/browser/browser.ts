/**
 * A real browser: `CHROMIUM_PATH`, else the system's Chromium, else the one inside `@sparticuz/chromium`. Started by our own
 * arguments: that package's would switch off the very rules of cookies and origins that are tested here.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'
import { PATIENCE_MS } from '../patience.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

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
  const found = process.env['CHROMIUM_PATH'] ?? findOnPath()
  if (found !== undefined) return chromium.launch({ executablePath: found, args: ARGUMENTS, timeout: PATIENCE_MS })
  const folder = await unpack()
  const env = {
    ...process.env,
    FONTCONFIG_FILE: join(folder, FONTS_FILE),
    ...(hasLibraries() ? {} : { LD_LIBRARY_PATH: join(folder, 'al2023/lib') }),
  }
  return chromium.launch({ executablePath: join(folder, 'chromium'), args: ARGUMENTS, timeout: PATIENCE_MS, env })
}

function findOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

function hasLibraries(): boolean {
  const folders = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/lib64']
  return ['libnss3.so', 'libnspr4.so'].every((name) => folders.some((folder) => existsSync(join(folder, name))))
}

const PACKED = import.meta.resolve('@sparticuz/chromium')
const UNPACK = `await (await import('${PACKED}')).default.executablePath()`

// The package's own file names folders of another machine; a browser without a font ends at the first text.
const FONTS_FILE = 'fonts.xml'
const fontsIn = (folder: string): string =>
  `<?xml version="1.0"?><fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>\n`

// The package unpacks into the temporary folder and takes whatever lies there for whole, also what a killed run or another
// one left half done. So a process of its own unpacks into a new folder, which is given its name when it is whole.
async function unpack(): Promise<string> {
  const { version } = JSON.parse(readFileSync(`${root}node_modules/@sparticuz/chromium/package.json`, 'utf8'))
  const folder = `${root}.data/chromium-${version}`
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const fresh = mkdtempSync(`${folder}-`)
  // With these it unpacks the libraries, too.
  const env = { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', UNPACK], { cwd: root, env })
  writeFileSync(join(fresh, FONTS_FILE), fontsIn(folder))
  try {
    renameSync(fresh, folder)
  } catch (error) {
    // Somebody else was first.
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}
