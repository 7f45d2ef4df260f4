/**
 * A client that asks for a WebSocket and resets the connection while its token is being checked must not end the process.
 * Runs `examples/recipes/websocket.ts`, which the docs quote, in a child process; no token of it is ever good.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dep, listen, project, verdict, wait, within } from './lib.mjs'

within(60)
const { transform } = await dep('esbuild')
const { code } = await transform(
  readFileSync(new URL('../../../examples/recipes/websocket.ts', import.meta.url), 'utf8'),
  {
    loader: 'ts',
    format: 'esm',
  },
)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-case-upgrade-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
const builtFile = (_, name = 'index') => JSON.stringify(join(project, `dist/${name}.js`))
const inBuilt = (text) => text.replaceAll(/['"]sallyport(?:\/([\w-]+))?['"]/g, builtFile)
// A key server that takes half a second: so long is the token being checked.
const { url } = await listen((_req, res) => setTimeout(() => res.end('{"keys":[]}'), 500))
writeFileSync(
  join(folder, 'auth.mjs'),
  inBuilt(`import { createMemoryStorage } from 'sallyport/memory'
export const storage = createMemoryStorage()`),
)
// Its part begins once somebody is let in.
writeFileSync(join(folder, 'ws.mjs'), 'export class WebSocketServer {}')
const placed = code.replaceAll('./auth.ts', './auth.mjs').replace(/(['"])ws\1/, '"./ws.mjs"')
writeFileSync(join(folder, 'websocket.mjs'), inBuilt(placed))
writeFileSync(
  join(folder, 'main.mjs'),
  `import { server } from './websocket.mjs'
const say = () => console.log('port', server.address().port)
if (server.listening) say()
else server.once('listening', say)`,
)
const child = spawn(process.execPath, [join(folder, 'main.mjs')], {
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, SUPABASE_URL: url, PORT: '0' },
})
let said = ''
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
let exit = null
child.on('exit', (status) => (exit = status ?? 'signal'))
while (!/port \d+/.test(said) && exit === null) await wait(50)
const port = Number(/port (\d+)/.exec(said)?.[1])
const text = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
const token = `${text({ alg: 'ES256', kid: 'k' })}.${text({ iss: `${url}/auth/v1`, sub: 'a', exp: 9e9 })}.${'A'.repeat(86)}`
for (let i = 0; i < 5 && exit === null; i++) {
  await new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${token}\r\n\r\n`,
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
