/** L12, L13: where the signing secret comes from, and what is refused rather than repaired. */
import { spawn } from 'node:child_process'
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSigningSecret, type SigningSecretOptions } from '../../src/login/signing-secret.ts'

let folder: string
let file: string
let warnings: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-secret-'))
  file = join(folder, '.jwt_secret')
  warnings = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const GOOD = 'ab'.repeat(32)
const MAKE_PIPE = 'mkfifo'
const isRoot = userInfo().uid === 0

const load = async (more: Partial<SigningSecretOptions> = {}): Promise<string> => {
  const onWarning = (sentence: string): void => void warnings.push(sentence)
  return Buffer.from(await loadSigningSecret({ hex: undefined, file, onWarning, ...more })).toString('hex')
}
const put = (text: string, mode = 0o600): Promise<void> => writeFile(file, text, { mode }).then(() => chmod(file, mode))

describe('where it comes from', () => {
  it('the explicit value wins over a file, which is not even read', async () => {
    await put('damaged')
    expect(await load({ hex: GOOD })).toBe(GOOD)
    expect(await load({ hex: GOOD.toUpperCase() })).toBe(GOOD)
  })

  it('the file wins over a new one', async () => {
    await put(`${GOOD}\n`)
    expect([await load(), await load()]).toEqual([GOOD, GOOD])
    expect(warnings).toEqual([])
  })

  it('a new one is 32 random bytes, kept with mode 0600, and nothing else is left behind', async () => {
    const secret = await load()
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    expect(await readFile(file, 'utf8')).toBe(`${secret}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['.jwt_secret'])
    expect(await load()).toBe(secret)
    await rm(file)
    expect(await load()).not.toBe(secret)
  })

  it('a new one has mode 0600 whatever the umask is', async () => {
    const before = process.umask(0)
    try {
      await load()
    } finally {
      process.umask(before)
    }
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })
})

describe('an explicit value', () => {
  it.each([
    ['', 'must not be empty'],
    ['  ', 'must be hexadecimal'],
    ['not hex at all', 'must be hexadecimal'],
    [`${GOOD}\n`, 'must be hexadecimal'],
    [`0x${GOOD}`, 'must be hexadecimal'],
    ['abc', 'must be hexadecimal'],
    ['ab'.repeat(15), 'must be at least 16 bytes'],
    [null, 'must be of type string'],
    [123, 'must be of type string'],
  ])('of %j throws, and never falls back to the file', async (hex, sentence) => {
    await put(GOOD)
    await expect(load({ hex: hex as never })).rejects.toThrow(`loadSigningSecret: option "hex" ${sentence}`)
    await expect(load({ hex: hex as never })).rejects.toThrow(TypeError)
  })

  it('of 16 to 31 bytes is a warning, which does not hold it', async () => {
    const hex = 'cd'.repeat(16)
    expect(await load({ hex })).toBe(hex)
    expect(warnings).toEqual(['the signing secret has 16 bytes; use at least 32'])
    await load({ hex: 'cd'.repeat(32) })
    expect(warnings).toHaveLength(1)
  })

  it('is never in an error', async () => {
    const error = await load({ hex: 'canary-secret' }).catch(String)
    expect(error).not.toContain('canary')
  })
})

describe('a bad file is an error, and left as it is', () => {
  it.each([
    ['empty', '', 'must not be empty'],
    ['blank', ' \n', 'must not be empty'],
    ['short', 'ab'.repeat(15), 'must be at least 16 bytes'],
    ['cut in the middle of a byte', GOOD.slice(1), 'must be hexadecimal'],
    ['no hexadecimal', 'z'.repeat(64), 'must be hexadecimal'],
    ['large', 'ab'.repeat(600), 'is too large'],
  ])('%s', async (_, text, sentence) => {
    await put(text)
    await expect(load()).rejects.toThrow(`sallyport: the secret file ${file} ${sentence}`)
    await expect(load({ ephemeral: true })).rejects.toThrow(sentence)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it.each([0o640, 0o604, 0o660, 0o644, 0o610, 0o666])('rights for others: %o', async (mode) => {
    await put(GOOD, mode)
    await expect(load()).rejects.toThrow('can be used by other users: its mode must be 0600')
    expect(await load({ allowSharedFile: true })).toBe(GOOD)
  })

  it('a symbolic link, also to a good file, and one that leads nowhere', async () => {
    await put(GOOD)
    const other = join(folder, 'link')
    await symlink(file, other)
    await expect(load({ file: other })).rejects.toThrow('is a symbolic link')
    const nowhere = join(folder, 'nowhere')
    await symlink(join(folder, 'made-by-link'), nowhere)
    await expect(load({ file: nowhere })).rejects.toThrow('is a symbolic link')
    expect((await readdir(folder)).sort()).toEqual(['.jwt_secret', 'link', 'nowhere'])
  })

  it('a folder, and a pipe that nobody writes to', async () => {
    await mkdir(join(folder, 'folder'))
    await expect(load({ file: join(folder, 'folder') })).rejects.toThrow('is not a regular file')
    const pipe = join(folder, 'pipe')
    await new Promise((resolve) => spawn(MAKE_PIPE, [pipe]).on('close', resolve))
    await expect(load({ file: pipe })).rejects.toThrow('is not a regular file')
  })

  it.runIf(isRoot)('of another user', async () => {
    await put(GOOD)
    await chown(file, 12_345, 12_345)
    await expect(load()).rejects.toThrow('belongs to another user')
  })

  it('of 16 to 31 bytes is a warning', async () => {
    await put('ef'.repeat(16))
    expect(await load()).toBe('ef'.repeat(16))
    expect(warnings).toEqual(['the signing secret in the file has 16 bytes; use at least 32'])
  })
})

describe('where it can not be written', () => {
  it('throws, and with `ephemeral` says so and holds one for this process', async () => {
    const gone = join(folder, 'no', 'such', 'folder')
    await expect(load({ file: gone })).rejects.toThrow(`the secret file ${gone} can't be written (ENOENT)`)
    const secret = await load({ file: gone, ephemeral: true })
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    expect(await load({ file: gone, ephemeral: true })).not.toBe(secret)
    expect(warnings[0]).toContain('sessions end with this process')
  })

  it('a file that is there already is not replaced by a process that is late', async () => {
    await put(GOOD)
    const other = join(folder, 'other')
    await link(file, other)
    expect(await load()).toBe(GOOD)
    expect(await readFile(other, 'utf8')).toBe(GOOD)
  })
})

describe('the options', () => {
  it.each([
    [{ file: '' }, 'option "file"'],
    [{ onWarning: undefined }, 'option "onWarning" '],
    [{ mode: 0o644 }, 'unknown option "mode"'],
  ])('%j is refused', async (more, sentence) => {
    await expect(load(more as never)).rejects.toThrow(sentence)
  })
})

describe('eight processes on one empty folder', () => {
  const source = fileURLToPath(new URL('../../src/login/signing-secret.ts', import.meta.url))
  const program = `
    const { loadSigningSecret } = await import(${JSON.stringify(`file://${source}`)})
    process.stdout.write('ready\\n')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    const onWarning = (sentence) => process.stdout.write(sentence)
    const secret = await loadSigningSecret({ hex: undefined, file: process.env.FILE, onWarning })
    process.stdout.write(Buffer.from(secret).toString('hex'))
    process.exit(0)`

  it('hold one secret', async () => {
    const children = Array.from({ length: 8 }, () => {
      const args = ['--import', 'tsx', '--input-type=module', '-e', program]
      const child = spawn(process.execPath, args, { env: { ...process.env, FILE: file } })
      let out = ''
      let errors = ''
      let isReady: () => void
      const ready = new Promise<void>((resolve) => {
        isReady = resolve
      })
      child.stdout.on('data', (chunk) => {
        out += chunk
        if (out.includes('ready\n')) isReady()
      })
      child.stderr.on('data', (chunk) => {
        errors += chunk
      })
      const done = new Promise<string>((resolve) =>
        child.on('close', () => {
          isReady()
          resolve(`${out.replace('ready\n', '')}${errors}`)
        }),
      )
      return { child, ready, done }
    })
    await Promise.all(children.map(({ ready }) => ready))
    for (const { child } of children) child.stdin.end('go\n')
    const secrets = await Promise.all(children.map(({ done }) => done))
    const kept = (await readFile(file, 'utf8')).trim()
    expect(kept).toMatch(/^[0-9a-f]{64}$/)
    expect(secrets).toEqual(Array(8).fill(kept))
    expect(await readdir(folder)).toEqual(['.jwt_secret'])
  })
})
