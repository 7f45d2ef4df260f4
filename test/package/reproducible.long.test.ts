/** Two clean clones, in different folders and under different settings, give the same tarball, byte for byte. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { TEST_PATIENCE_MS } from '../patience.ts'
import { root } from './entry-points.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-reproducible-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// The settings of the npm that runs the tests are not those of the clones.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

function cloneInto(name: string, umask: string): string {
  const clone = join(folder, name)
  mkdirSync(dirname(clone), { recursive: true })
  execFileSync('sh', ['-c', `umask ${umask} && git clone --quiet '${root}' '${clone}'`], { env })
  symlinkSync(`${root}node_modules`, join(clone, 'node_modules'))
  return clone
}

/** The digest of the tarball that a clone gives, and its files with theirs. */
function packClone(
  clone: string,
  umask: string,
  settings: Record<string, string>,
): { tarball: string; files: string[] } {
  const into = `${clone}-packed`
  mkdirSync(into)
  const command = `umask ${umask} && npm pack --silent --pack-destination ${into}`
  execFileSync('sh', ['-c', command], {
    cwd: clone,
    env: { ...env, ...settings },
    stdio: 'pipe',
    timeout: TEST_PATIENCE_MS,
  })
  const tarball = join(into, readdirSync(into)[0] ?? 'no tarball')
  execFileSync('tar', ['-xzf', tarball, '-C', into])
  const files = readdirSync(join(into, 'package'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(into.length)} ${digestOf(path)}`)
  return { tarball: digestOf(tarball), files: files.sort() }
}

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

it('two clones give one tarball', () => {
  const clones = [cloneInto('one', '022'), cloneInto('an/other/place', '077')] as const
  const one = packClone(clones[0], '022', { TZ: 'UTC', LANG: 'C' })
  const other = packClone(clones[1], '077', { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' })
  expect(one.files.length).toBeGreaterThan(40)
  // Told apart by file first: which one differs is the question.
  expect(other.files).toEqual(one.files)
  expect(other.tarball).toBe(one.tarball)
})
