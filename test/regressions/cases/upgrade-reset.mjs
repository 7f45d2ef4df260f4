/**
 * A client that asks for a WebSocket and resets the connection while its token is being checked must not end the process.
 * Runs the sample `upgrade.ts` as it is printed in the README or in `docs/`, in a child process.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dep, project, sampleOf, verdict, wait, within } from './lib.mjs'

within(40)
const sample = sampleOf('upgrade.ts')
if (sample === undefined) verdict(false, 'there is no sample upgrade.ts any more')
const { transform } = await dep('esbuild')
const { code } = await transform(sample, { loader: 'ts', format: 'esm' })
const folder = mkdtempSync(join(tmpdir(), 'sallyport-case-upgrade-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const builtFile = (_, name = 'index') => JSON.stringify(join(project, `dist/${name}.js`))
const inBuilt = (text) => text.replaceAll(/['"]sallyport(?:\/([\w-]+))?['"]/g, builtFile)
// A key server that takes half a second: so long is the token being checked.
writeFileSync(
  join(folder, 'auth.mjs'),
  inBuilt(`import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
const storage = createMemoryStorage()
const slow = () => new Promise((done) => setTimeout(() => done(Response.json({ keys: [] })), 500))
export const auth = createAuth({ roles: ['owner'],
  verifier: createJwtVerifier({ fetch: slow,
    issuers: [{ audience: null, issuer: 'https://idp.example.test', keys: [{ kind: 'jwks', url: 'https://idp.example.test/jwks' }] }] }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'none' }) })`),
)
writeFileSync(join(folder, 'upgrade.mjs'), inBuilt(code).replaceAll('./auth.ts', './auth.mjs'))
writeFileSync(
  join(folder, 'main.mjs'),
  `import { server } from './upgrade.mjs'
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))`,
)
const child = spawn(process.execPath, [join(folder, 'main.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] })
let said = ''
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
let exit = null
child.on('exit', (status) => (exit = status ?? 'signal'))
while (!/port \d+/.test(said) && exit === null) await wait(50)
const port = Number(/port (\d+)/.exec(said)?.[1])
const text = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
const token = `${text({ alg: 'ES256', kid: 'k' })}.${text({ iss: 'https://idp.example.test', sub: 'a', exp: 9e9 })}.AAAA`
for (let i = 0; i < 5 && exit === null; i++) {
  await new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
      setTimeout(() => {
        socket.resetAndDestroy()
        done()
      }, 100)
    })
    socket.on('error', () => {})
  })
  await wait(900)
}
const died = exit !== null
child.kill('SIGKILL')
verdict(
  !died,
  died
    ? `the process ended (${exit}): ${/Error: .*/.exec(said)?.[0] ?? said.slice(0, 300)}`
    : 'five resets, still serving',
)
