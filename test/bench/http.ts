// What auth adds to a request over HTTP, on each framework: servers in processes of their own, asked in turn with warm tokens.
// Compared is the processor time of the server for one request, against the same server without auth.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { TokenIssuer } from '../../src/testing/index.ts'
import { withBuilt } from './build.ts'
import { type Comparison, spread } from './rounds.ts'

const ROUNDS = 7
const REQUESTS = 1500
const AT_ONCE = 32
const POPULATION = 200

const MODES = { nothing: 'no auth', ours: 'our middleware, warm', bare: 'a bare jwtVerify' }
type Mode = keyof typeof MODES

interface Server {
  readonly child: ChildProcess
  readonly port: number
}

/** Compare the three servers of one framework. */
export function compareOverHttp(
  framework: string,
  issuer: TokenIssuer,
  audience: string,
): Promise<readonly Comparison[]> {
  return withBuilt('test/bench/http-server.ts', (file) => compareServers([file, framework], issuer, audience))
}

async function compareServers(
  command: readonly string[],
  issuer: TokenIssuer,
  audience: string,
): Promise<readonly Comparison[]> {
  const signing = Array.from({ length: POPULATION }, (_, i) => issuer.sign({ jti: `${i}` }, { algorithm: 'ES256' }))
  const tokens = await Promise.all(signing)
  const given = JSON.stringify({ issuer: issuer.issuer, audience, jwks: issuer.jwks() })
  const modes = Object.keys(MODES) as Mode[]
  const servers = new Map<Mode, Server>()
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  try {
    for (const mode of modes) servers.set(mode, await start([...command, mode, given]))
    const cost = new Map<Mode, number[]>(modes.map((mode) => [mode, []]))
    const speed = new Map<Mode, number[]>(modes.map((mode) => [mode, []]))
    for (let round = -1; round < ROUNDS; round++) {
      for (let turn = 0; turn < modes.length; turn++) {
        const mode = modes[(turn + round + modes.length) % modes.length] as Mode
        const { cpu, wall } = await measure(servers.get(mode) as Server, agent, tokens)
        // The first round warms compilers and caches up, and counts for nothing.
        if (round >= 0) cost.get(mode)?.push(cpu) && speed.get(mode)?.push(wall)
      }
    }
    const ratios = (of: Map<Mode, number[]>, mode: Mode): number[] =>
      (of.get(mode) as number[]).map((value, i) => value / ((of.get('nothing') as number[])[i] as number))
    return modes.map((mode) => ({
      name: MODES[mode],
      cpuMicroseconds: spread(cost.get(mode) as number[])[1],
      cpuRatio: spread(ratios(cost, mode)),
      speedRatio: spread(ratios(speed, mode).map((ratio) => 1 / ratio)),
    }))
  } finally {
    agent.destroy()
    for (const { child } of servers.values()) child.kill()
  }
}

async function start(args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer]
  return { child, port: Number(String(line)) }
}

async function measure(
  { port }: Server,
  agent: Agent,
  tokens: readonly string[],
): Promise<{ cpu: number; wall: number }> {
  const before = Number(await ask(port, '/cpu', agent, ''))
  const begun = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < REQUESTS) {
      const token = tokens[next++ % tokens.length] as string
      const text = await ask(port, '/', agent, token)
      if (text !== '{"ok":true}') throw new Error(`the server said ${text}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const wall = performance.now() - begun
  return { cpu: (Number(await ask(port, '/cpu', agent, '')) - before) / REQUESTS, wall }
}

function ask(port: number, path: string, agent: Agent, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
    const asking = request({ host: '127.0.0.1', port, path, agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve(text))
    })
    asking.on('error', reject)
    asking.end()
  })
}
