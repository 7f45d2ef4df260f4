/** R3: nothing of the library keeps a process alive, while a key server hangs and after `close()`. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PATIENCE_MS } from './patience.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
// It takes every request and answers none.
const server = createServer(() => {})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

// In it no timer of a second or more ever ends: whatever waits for one, a key server's five seconds above all, never does.
const PROGRAM = `
const { setTimeout: later } = globalThis
Object.assign(globalThis, { setTimeout: (work, milliseconds) => later(work, milliseconds < 1000 ? milliseconds : 2 ** 31 - 1) })
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from './src/index.ts'
import { fromFetchRequest } from './src/http/index.ts'
import { createMemoryStorage } from './src/storage/memory.ts'
const [url, how] = process.argv.slice(-2)
const storage = createMemoryStorage()
const auth = createAuth({
  roles: ['owner'],
  verifier: createJwtVerifier({ issuers: [{ issuer: 'https://a.test', keys: [{ kind: 'jwks', url }], audience: 'a' }] }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }),
})
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = encode({ alg: 'ES256', kid: 'k' }) + '.' + encode({ iss: 'https://a.test' }) + '.' + 'A'.repeat(86)
const request = new Request('http://x/', { headers: { authorization: 'Bearer ' + token } })
const ready = how === 'warm' ? auth.warmUp() : Promise.resolve()
if (how !== 'idle') {
  const refused = auth.authenticate(fromFetchRequest(request)).catch((error) => console.log(error.code))
  setTimeout(() => {
    console.log('closed')
    auth.close()
  }, 200)
  await Promise.all([ready, refused])
}
`

// On standard error, where nobody listens: without a cause, for no key server has failed.
const PRINTED = 'sallyport: answered 503, key_servers_failing; onDecision gets it'

// Top-level await that never ends would be exit code 13.
it.each([
  ['idle', [], []],
  ['asked', ['closed', 'keys_unavailable'], [PRINTED]],
  ['warm', ['closed', 'keys_unavailable'], [PRINTED]],
])('%s: the process ends by itself', async (how, said, complained) => {
  expect(await endingOf(how)).toEqual({ code: 0, said, complained })
})

interface Ending {
  readonly code: unknown
  readonly said: readonly string[]
  readonly complained: readonly string[]
}

async function endingOf(how: string): Promise<Ending> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const args = ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, '--', url, how]
  const child = spawn(process.execPath, args, { cwd: root, timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
  const said = linesOf(child.stdout)
  const complained = linesOf(child.stderr)
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code, said: said(), complained: complained() }
}

function linesOf(stream: Readable): () => string[] {
  const chunks: string[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  return () => chunks.join('').split('\n').filter(Boolean)
}
