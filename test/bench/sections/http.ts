/** What authenticating adds to a request over HTTP: a server of its own process for each way, asked in turn. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenIssuer } from 'sallyport/testing'
import { pemOf } from '../contenders.ts'
import { type Framework, type Given, NO_AUTH, OURS, serversOf } from '../http-servers.ts'
import { createLoad, type Load } from '../load.ts'
import { programs } from '../places.ts'
import { rowsOf, type Target } from '../rounds.ts'
import { type BenchOptions, type Group, type Section, WrongAnswer } from '../section.ts'
import { AUDIENCE, createIssuer, ISSUER, makeTokens, type TokenTexts, tampered } from '../tokens.ts'

const CONNECTIONS = 32
const POPULATION = 200
/** Before the clock starts: what a compiler does to a server is over then. A slow one stops earlier. */
const WARM_UP = { requests: 20_000, milliseconds: 4000 }
const QUICK_WARM_UP = { requests: 6000, milliseconds: 1200 }
const REQUESTS: Readonly<Record<Framework, number>> = { express: 2000, koa: 4000, hono: 4000, fastify: 4000 }
/** A token for every request: nobody's cache helps. */
const COLD = `${OURS}, every token new`

const TARGETS: Readonly<Record<Framework, Readonly<Record<string, Target>>>> = {
  express: { [OURS]: { goal: 1.15, gate: 1.25 } },
  koa: { [OURS]: { goal: 1.3, gate: 1.5 } },
  hono: { [OURS]: { goal: 1.3, gate: 1.5 } },
  fastify: {},
}

interface Contender {
  readonly name: string
  readonly load: Load
  readonly isCold: boolean
  readonly cpu: number[]
  readonly rate: number[]
}

export async function benchHttp(options: BenchOptions): Promise<Section> {
  const issuer = await createIssuer()
  const keyServer = await serveKeys(issuer)
  const { port } = keyServer.address() as AddressInfo
  const given: Given = {
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: issuer.jwks(),
    jwksUri: `http://127.0.0.1:${port}/jwks.json`,
    pem: pemOf(issuer, 'ES256'),
  }
  const groups: Group[] = []
  try {
    for (const framework of ['express', 'koa', 'hono', 'fastify'] as const) {
      groups.push(...(await benchFramework(framework, issuer, given, options)))
    }
  } finally {
    keyServer.close()
  }
  return {
    title: 'A request over HTTP',
    about: `Loopback, ${CONNECTIONS} connections, ${POPULATION} ES256 tokens of as many people in rotation; each server in its own \
process, its app one route that answers a line of JSON, warmed \
up by ${WARM_UP.requests.toLocaleString('en')} requests or ${WARM_UP.milliseconds / 1000} seconds of them. Compared is the processor time of the server, all threads, with that of the \
same server without authentication; "again" is that server a second time: its distance from 1 is what noise does; "an \
empty middleware" is what the framework takes for any. What sends the requests never sleeps, for a server pays for waking it. \`${OURS}\` also \
finds user, organization and role (storage in memory); the peers verify the token and no more. Of them only @fastify/jwt can cache: \
the others cost the same for a token seen before. sallyport has no adapter for Fastify: that table is for comparison.`,
    groups,
    missing: [],
  }
}

async function benchFramework(
  framework: Framework,
  issuer: TokenIssuer,
  given: Given,
  { quick, progress }: BenchOptions,
): Promise<Group[]> {
  const rounds = quick ? 3 : 9
  const size = Math.round((REQUESTS[framework] as number) * (quick ? 0.5 : 1))
  const names = [...serversOf(framework), ...(framework === 'fastify' ? [] : [COLD])]
  const children: ChildProcess[] = []
  const contenders: Contender[] = []
  try {
    for (const name of names) {
      progress(`${framework}: starting ${name}`)
      const child = forkServer(framework, name === COLD ? OURS : name, given)
      children.push(child)
      const port = await portOf(child, name)
      contenders.push({ name, load: await createLoad(port, CONNECTIONS), isCold: name === COLD, cpu: [], rate: [] })
    }
    const good = makeTokens(issuer, 'ES256', POPULATION)
    await requireRight(contenders, good.fresh(0))
    for (let round = -1; round < rounds; round++) {
      const fresh = makeTokens(issuer, 'ES256', size, {
        from: POPULATION + (round + 1) * size,
        people: POPULATION,
      })
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round + contenders.length) % contenders.length] as Contender
        progress(`${framework}: round ${round + 1} of ${rounds}, ${contender.name}`)
        const tokens = contender.isCold ? fresh : good
        // The first round, a longer one, warms compilers and caches up, and counts for nothing.
        if (round < 0) await warmUp(contender, good, quick ? QUICK_WARM_UP : WARM_UP)
        const { cpu, rate } = await takeTurn(contender, tokens, size)
        if (round >= 0) contender.cpu.push(cpu) && contender.rate.push(rate)
      }
    }
    return groupsOf(framework, contenders)
  } finally {
    for (const { load } of contenders) load.close()
    for (const child of children) child.kill()
  }
}

async function warmUp(
  { load }: Contender,
  tokens: TokenTexts,
  { requests, milliseconds }: typeof WARM_UP,
): Promise<void> {
  const until = performance.now() + milliseconds
  const lines = Array.from({ length: tokens.count }, (_, index) => `Bearer ${tokens.fresh(index)}`)
  for (let sent = 0; sent < requests && performance.now() < until; sent += lines.length) await load.send(lines)
}

async function takeTurn({ name, load }: Contender, tokens: TokenTexts, size: number) {
  const lines = Array.from({ length: size }, (_, index) => `Bearer ${tokens.fresh(index)}`)
  const before = Number(await load.ask('/cpu'))
  const begun = performance.now()
  const statuses = await load.send(lines)
  const seconds = (performance.now() - begun) / 1000
  const after = Number(await load.ask('/cpu'))
  if (statuses.get(200) !== size) throw new WrongAnswer(`${name} refused good tokens: ${JSON.stringify([...statuses])}`)
  return { cpu: (after - before) / size, rate: size / seconds }
}

function groupsOf(framework: Framework, contenders: readonly Contender[]): Group[] {
  const head = { title: framework[0]?.toUpperCase() + framework.slice(1), against: NO_AUTH }
  const cpu = contenders.map((each) => ({ name: each.name, values: each.cpu }))
  const rate = contenders.map((each) => ({ name: each.name, values: each.rate }))
  return [
    {
      ...rowsOf({ ...head, targets: TARGETS[framework] }, cpu),
      measure: "the server's processor time a request",
      unit: 'µs',
      better: 'lower',
    },
    { ...rowsOf(head, rate), measure: 'requests a second', unit: '1/s', better: 'higher' },
  ]
}

// Everybody who authenticates takes a good token and refuses none, a tampered one, and another scheme.
async function requireRight(contenders: readonly Contender[], good: string): Promise<void> {
  for (const { name, load } of contenders) {
    const isOpen = name.startsWith(NO_AUTH)
    for (const [line, passes] of [
      [`Bearer ${good}`, true],
      [`Bearer ${tampered(good)}`, isOpen],
      ['Basic dTpw', isOpen],
    ] as const) {
      const [status = 0] = [...(await load.send([line])).keys()]
      if (passes ? status !== 200 : status < 400 || status > 499) {
        throw new WrongAnswer(`${name} answered ${status} to ${line.slice(0, 12)}…`)
      }
    }
  }
}

function forkServer(framework: Framework, name: string, given: Given): ChildProcess {
  return fork(`${programs}http-server.mjs`, [framework, name, JSON.stringify(given)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

function portOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve(Number(port)))
    child.once('exit', (code) => reject(new Error(`the server "${name}" ended by ${code}`)))
  })
}

async function serveKeys(issuer: TokenIssuer): Promise<Server> {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(issuer.jwks()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
