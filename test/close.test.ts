/** R3: nothing of the library keeps a process alive, while a key server hangs and after `close()`. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
// It takes every request and answers none.
const server = createServer(() => {})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const PROGRAM = `
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, fromFetchRequest, header } from './src/index.ts'
import { createMemoryStorage } from './src/storage/memory.ts'
const [url, how] = process.argv.slice(-2)
const storage = createMemoryStorage()
const auth = createAuth({
  roles: ['owner'],
  verify: createJwtVerifier({ issuers: [{ issuer: 'https://a.test', keys: [{ kind: 'jwks', url }] }], audience: 'a' }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ source: storage.memberships, selectors: [header('X-Org-Id')], unnamed: 'earliest-joined' }),
})
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = encode({ alg: 'ES256', kid: 'k' }) + '.' + encode({ iss: 'https://a.test' }) + '.' + 'A'.repeat(86)
const request = new Request('http://x/', { headers: { authorization: 'Bearer ' + token } })
const ready = how === 'warm' ? auth.warmUp() : Promise.resolve()
if (how !== 'idle') {
  const refused = auth.authenticate(fromFetchRequest(request)).catch((error) => console.log(error.code))
  setTimeout(() => {
    console.log('closed')
    const at = performance.now()
    process.on('exit', () => console.log(performance.now() - at < 1000 ? 'within a second' : 'late'))
    auth.close()
  }, 200)
  await Promise.all([ready, refused])
}
`

// Top-level await that never ends would be exit code 13.
it.each([
  ['idle', []],
  ['asked', ['closed', 'keys_unavailable', 'within a second']],
  ['warm', ['closed', 'keys_unavailable', 'within a second']],
])('%s: the process ends by itself', async (how, expected) => {
  // A busy machine only ever adds: one end in time of three shows that nothing of ours is waited for, which would take five.
  let ending = await endingOf(how)
  for (let again = 0; again < 2 && ending.said.includes('late'); again++) ending = await endingOf(how)
  expect(ending).toEqual({ code: 0, said: expected })
})

async function endingOf(how: string): Promise<{ readonly code: unknown; readonly said: readonly string[] }> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const args = ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, '--', url, how]
  const child = spawn(process.execPath, args, { cwd: root, timeout: 60_000, killSignal: 'SIGKILL' })
  const said: string[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code, said: said.join('').split('\n').filter(Boolean) }
}
