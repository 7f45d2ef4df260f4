/**
 * The secret that sessions are signed with: the host's own, else the one in a file, else a new one put there once.
 * Any number of processes that start at once on an empty folder hold the same one afterwards. Hands on its bytes.
 */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, link, open, unlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import {
  aBoolean,
  aFunction,
  aName,
  aString,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'

/** Options of {@link loadSigningSecret}. */
export interface SigningSecretOptions {
  /**
   * The secret the host was given, in hexadecimal: at least 16 bytes, better 32. `undefined`: none was given, the file
   * decides. Anything else, the empty string too, is wrong and throws: a secret that is given is never passed over.
   */
  readonly hex: string | undefined
  /** Where the secret is kept, and made if there is none. Its folder must exist. */
  readonly file: string
  /** Told, in a sentence, of what works and should not stay: a secret under 32 bytes, one that ends with the process. */
  readonly onWarning: (sentence: string) => unknown
  /** Where the file can't be written, hold a secret for this process only. Default `false`: throw. */
  readonly ephemeral?: boolean | undefined
  /** Let the file's group and others have rights on it. Default `false`. */
  readonly allowSharedFile?: boolean | undefined
}

const NAME = 'loadSigningSecret'
const MIN_BYTES = 16
const GOOD_BYTES = 32
const MAX_FILE_BYTES = 1024

/**
 * Load the signing secret at start. The file is a regular file of this user with no rights for anybody else; one that is
 * not, or that is empty, short or no hexadecimal, throws and is left alone: a new secret would log everybody out.
 * Cost: reading one small file; where there is none, writing it once.
 *
 * @throws OptionsError for a wrong option
 * @throws Error for a bad file, or one that can't be written
 * @example
 * const secret = await loadSigningSecret({
 *   hex: process.env.JWT_SECRET,
 *   file: '/var/lib/app/.jwt_secret',
 *   onWarning: console.warn,
 * })
 */
export async function loadSigningSecret(options: SigningSecretOptions): Promise<Uint8Array> {
  const { hex, file, onWarning, ephemeral = false, allowSharedFile = false } = parseOptions(NAME, SHAPE, options)
  const warn = (bytes: Uint8Array, whose: string): Uint8Array => {
    if (bytes.length < GOOD_BYTES) onWarning(`${whose} has ${bytes.length} bytes; use at least ${GOOD_BYTES}`)
    return bytes
  }
  if (hex !== undefined) {
    const given = bytesOf(hex)
    if (typeof given === 'string') throw optionsError(NAME, 'hex', given)
    return warn(given, 'the signing secret')
  }
  let kept = await readSecret(file, allowSharedFile)
  if (kept === null) {
    const secret = crypto.getRandomValues(new Uint8Array(GOOD_BYTES))
    try {
      await publish(file, `${Buffer.from(secret).toString('hex')}\n`)
    } catch (cause) {
      if (!ephemeral)
        throw new Error(`sallyport: the secret file ${file} can't be written (${codeOf(cause)})`, { cause })
      onWarning(`the signing secret can't be kept in ${file}: sessions end with this process`)
      return secret
    }
    // Whoever was first has won: everybody reads what is there.
    kept = await readSecret(file, allowSharedFile)
  }
  if (kept === null) throw new Error(`sallyport: the secret file ${file} has vanished`)
  return warn(kept, 'the signing secret in the file')
}

// Written whole under a name of its own, then linked to the one that counts: link() fails where that one is there, so
// that nobody ever reads half a secret and nobody overwrites another's.
async function publish(file: string, text: string): Promise<void> {
  const temporary = `${file}.${crypto.randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await link(temporary, file)
    await syncFolder(dirname(file))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    await unlink(temporary)
  }
}

// So that the name survives a power cut too. Where folders can't be opened (Windows) the system sees to it.
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

async function readSecret(file: string, shared: boolean): Promise<Uint8Array | null> {
  const handle = await openStrictly(file)
  if (handle === null) return null
  try {
    const bytes = describeFault(await handle.stat(), shared) ?? bytesOf((await handle.readFile('utf8')).trim())
    if (typeof bytes === 'string') throw new Error(`sallyport: the secret file ${file} ${bytes}`)
    return bytes
  } finally {
    await handle.close()
  }
}

// O_NONBLOCK: a pipe in the file's place must not be waited for. Both flags are missing where there are no such things.
async function openStrictly(file: string): Promise<FileHandle | null> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    return await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null
    const why = codeOf(cause) === 'ELOOP' ? 'is a symbolic link' : `can't be read (${codeOf(cause)})`
    throw new Error(`sallyport: the secret file ${file} ${why}`, { cause })
  }
}

function describeFault({ uid, mode, size }: Stats, shared: boolean): string | null {
  const ours = userInfo().uid
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) return 'is not a regular file'
  // Windows has no such owners and rights: there the user's id is -1.
  if (ours >= 0 && uid !== ours) return 'belongs to another user'
  if (ours >= 0 && !shared && (mode & 0o077) !== 0) return 'can be used by other users: its mode must be 0600'
  return size > MAX_FILE_BYTES ? 'is too large' : null
}

// The bytes, or what is wrong with the text: never the text itself.
function bytesOf(hex: string): Uint8Array | string {
  if (hex === '') return 'must not be empty'
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return 'must be hexadecimal'
  return hex.length < 2 * MIN_BYTES ? `must be at least ${MIN_BYTES} bytes` : new Uint8Array(Buffer.from(hex, 'hex'))
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code ?? 'unknown error')
}

const SHAPE: Shape<SigningSecretOptions> = {
  hex: optional(aString()),
  file: aName(),
  onWarning: aFunction(),
  ephemeral: optional(aBoolean()),
  allowSharedFile: optional(aBoolean()),
}
