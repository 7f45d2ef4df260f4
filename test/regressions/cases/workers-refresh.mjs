/**
 * In a worker nothing outlives its request: a refresh of the keys that a request began and did not wait for is ended with
 * it, without a word. The next requests of the same isolate must not wait for it for ever.
 * Needs workerd: WORKERD=path of the binary, else npx fetches the version that `npm run test:runtimes` names.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimsOf, dep, listen, project, signer, verdict, wait, within } from './lib.mjs'

within(120)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-case-workers-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'worker.mjs'),
  `import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from 'sallyport'
import { createAdapter } from 'sallyport/hono'
import { createMemoryStorage } from 'sallyport/memory'
import { Hono } from 'hono'
let app
const make = (jwks) => {
  const storage = createMemoryStorage()
  const auth = createAuth({ roles: ['owner'],
    verifier: createJwtVerifier({ cache: null, issuers: [{ audience: 'authenticated', issuer: 'https://idp.example.test',
      keys: [{ kind: 'jwks', url: jwks, maxAgeSeconds: 2, maxStaleSeconds: 3 }] }] }),
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }) })
  const { middleware } = createAdapter(auth)
  return new Hono().use('/me', middleware()).get('/me', (c) => c.text('in'))
}
export default { fetch: (request, env, ctx) => (app ??= make(new URL(request.url).searchParams.get('jwks'))).fetch(request, env, ctx) }`,
)
const { build } = await dep('esbuild')
await build({
  entryPoints: [join(folder, 'worker.mjs')],
  outfile: join(folder, 'bundle.mjs'),
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'import'],
  logLevel: 'error',
  alias: Object.fromEntries(
    [
      ['sallyport', 'index'],
      ['sallyport/hono', 'hono'],
      ['sallyport/memory', 'memory'],
    ].map(([name, file]) => [name, join(project, `dist/${file}.js`)]),
  ),
  nodePaths: [join(project, 'node_modules')],
})
const port = await new Promise((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address()
    probe.close(() => done(free))
  })
})
writeFileSync(
  join(folder, 'worker.capnp'),
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "net", network = (allow = ["private", "local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")] );
const worker :Workerd.Worker = ( modules = [(name = "bundle.mjs", esModule = embed "bundle.mjs")],
  compatibilityDate = "2026-01-01", globalOutbound = "net" );
`,
)
let delay = 0
const { jwk, sign } = await signer()
const next = await signer('ES256', 'k2')
let keys = [jwk]
const issuer = await listen((_, res) =>
  setTimeout(() => res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })), delay),
)
const [command, ...args] = process.env.WORKERD
  ? [process.env.WORKERD, 'serve', 'worker.capnp']
  : [
      'npx',
      '-y',
      '-p',
      `workerd@${/workerd@([\d.]+)/.exec(readFileSync(join(project, 'scripts/runtimes.ts'), 'utf8'))?.[1]}`,
      'workerd',
      'serve',
      'worker.capnp',
    ]
const worker = spawn(command, args, { cwd: folder, stdio: 'ignore', detached: true })
process.on('exit', () => {
  try {
    process.kill(-worker.pid, 'SIGKILL')
  } catch {}
})
const ask = async (signIt, ms = 8000) => {
  const authorization = `Bearer ${await signIt(claimsOf('https://idp.example.test'))}`
  const url = `http://127.0.0.1:${port}/me?jwks=${encodeURIComponent(issuer.url)}`
  return fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(ms) }).then(
    (r) => r.status,
    (e) => (e.name === 'TimeoutError' ? 'hangs' : 'down'),
  )
}
let first = 'down'
for (let i = 0; i < 80 && first === 'down'; i++) {
  first = await ask(sign)
  if (first === 'down') await wait(500)
}
await wait(1700) // 80 % of the keys' age: the next request begins a refresh and ends before it does
delay = 600
const second = await ask(sign)
await wait(1500)
delay = 0
keys = [jwk, next.jwk]
const rotated = await ask(next.sign)
await wait(3500) // older than they may be: now somebody has to wait for a refresh
const later = await ask(sign)
verdict(
  first === 200 && second === 200 && rotated === 200 && later === 200,
  `first ${first}, at 85 % ${second}, a rotated key ${rotated}, past the end ${later}`,
)
