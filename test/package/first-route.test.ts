/** The README's first route, pasted as it stands into a project with the tarball: 401, then 200, on each framework. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { type SupabaseIssuer, startSupabaseIssuer } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snippet } from '../readme/snippets.ts'
import { root } from './entry-points.ts'
import { HOSTS } from './pack.ts'
import { openPacked } from './packed.ts'

const packed = await openPacked()
const project = join(dirname(packed.bare), 'first-route')
const tsx = pathToFileURL(createRequire(root).resolve('tsx')).href

// What a host starts by itself; here it says where the snippet listens, too.
const START = `
const { server } = await import('./' + process.argv[2])
// As text: a number would be coloured where FORCE_COLOR says so.
const say = () => console.log(String(server.address().port))
if (server.listening) say()
else server.once('listening', say)
`

let issuer: SupabaseIssuer
const children: ChildProcess[] = []

beforeAll(async () => {
  cpSync(packed.bare, project, { recursive: true, verbatimSymlinks: true })
  for (const name of HOSTS) symlinkSync(`${root}node_modules/${name}`, join(project, 'node_modules', name))
  writeFileSync(join(project, 'start.js'), START)
  for (const name of ['auth.ts', 'express.ts', 'koa.ts', 'hono.ts', 'main.ts']) {
    writeFileSync(join(project, name), snippet(name).code)
  }
  issuer = await startSupabaseIssuer()
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await issuer?.close()
})

const environmentOf = (url: string): NodeJS.ProcessEnv => ({ ...process.env, SUPABASE_URL: url, PORT: '0' })

async function start(file: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', tsx, 'start.js', file], {
    cwd: project,
    env: environmentOf(issuer.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  const lines = createInterface(child.stdout)
  const [said] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [errors])])
  return `http://127.0.0.1:${said}`
}

describe('the first route of the README, in a project of its own', () => {
  it.each(['express', 'koa', 'hono'])('answers 401 without a token and 200 with one, on %s', async (framework) => {
    const base = await start(`${framework}.ts`)
    const refused = await fetch(`${base}/api/me`)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const claims = issuer.tokens.supabaseClaims({ sub: crypto.randomUUID(), email: 'ada@example.test' })
    const headers = { authorization: `Bearer ${await issuer.tokens.sign(claims)}` }
    const answer = await fetch(`${base}/api/me`, { headers })
    const body = { user: 'ada@example.test', org: 'ada@example.test', role: 'owner' }
    expect([answer.status, await answer.json()]).toEqual([200, body])
  })

  it('says of the variable what the library says of the option that it fills', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', tsx, 'main.ts'], {
      cwd: project,
      env: environmentOf(`${issuer.url}/auth/v1`),
      encoding: 'utf8',
    })
    expect(stderr).toBe("SUPABASE_URL is the project's, without /auth/v1 and what follows\n")
    expect(status).toBe(1)
  })
})
