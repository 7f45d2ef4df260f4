/**
 * The corpus, asked: every labelled request, sent as written over a plain socket to a framework and a service it is for, must be
 * answered exactly as labelled; the frameworks answer alike; no answer is 500 or more but labelled 503s.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startJwksServer } from '../../src/testing/key-server.ts'
import { createIssuerKey, createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { HOSTS, type Listening, listen } from '../support/hosts.ts'
import { exchange, type RawAnswer } from '../support/raw-http.ts'
import { type CorpusCase, labelFor, readCorpus, type Service, servicesOf } from './case-format.ts'
import { damagedKey } from './keys.ts'
import { endpointsFor, routesFor } from './routes.ts'
import { type Mint, mintToken, type Recipe } from './token-recipes.ts'
import { compare, fill, normalize } from './verdict.ts'
import { createAuths, createWorld, NOW, PREVIOUS_SERVICE_SECRET, SERVICE_SECRET, type World } from './world.ts'

const CASES = readCorpus()
const PARALLEL = 20
const BATCH = 100

export const FRAMEWORKS = ['express 5', 'koa 3', 'hono'] as const
/** A framework, and the service that is asked on it. */
export type Asked = readonly [framework: (typeof FRAMEWORKS)[number], service: Service]

/** Ask every case of each of these, and compare what the frameworks answer. */
export function describeCorpus(asked: readonly Asked[]): void {
  beforeAll(() => startServers(asked))
  afterAll(async () => {
    for (const end of endings) await end()
  })
  describeAnswers(asked)
  describeAlike(asked)
}

const servers = new Map<string, { readonly host: Listening; readonly world: World }>()
const answers = new Map<string, string>()
const endings: (() => Promise<unknown>)[] = []
let mint: Mint
let attackerHits = 0

async function startServers(asked: readonly Asked[]): Promise<void> {
  const issuer = await createTokenIssuer({ algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'], clock: () => NOW })
  // Published keys: one of RS256, two of ES256, three of EdDSA.
  const earlier = { ES256: [issuer.key('ES256')], EdDSA: [issuer.key('EdDSA')] }
  await issuer.rotate('ES256')
  earlier.EdDSA.unshift(await issuer.rotate('EdDSA'))
  await issuer.rotate('EdDSA')
  const keys = await startJwksServer(issuer)
  endings.push(() => keys.close())
  const attacker = createServer((_, res) => {
    attackerHits += 1
    res.end('{"keys":[]}')
  })
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve))
  endings.push(() => new Promise((resolve) => attacker.close(resolve)))
  const [ES256, RS256, EdDSA] = await Promise.all([
    createIssuerKey('ES256', 'stranger'),
    createIssuerKey('RS256', 'stranger'),
    createIssuerKey('EdDSA', 'stranger'),
  ])
  const attackerUrl = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/jwks.json`
  mint = { issuer, earlier, strangers: { ES256, RS256, EdDSA }, attackerUrl }
  for (const [name, service] of asked) {
    const world = await createWorld(issuer.issuer)
    const auths = createAuths(world, issuer, service, keys.jwksUrl)
    const parts = [...auths].map(([prefix, auth]) => ({
      auth: auth as never,
      routes: routesFor(prefix, auth, world),
      endpoints: endpointsFor(prefix),
    }))
    const host = await listen(HOSTS[name](...parts))
    servers.set(`${name} ${service}`, { host, world })
    endings.push(host.close, async () => {
      for (const auth of auths.values()) auth.close()
    })
  }
}

function describeAnswers(asked: readonly Asked[]): void {
  it.each(asked)('%s answers as labelled: %s', async (framework, service) => {
    const cases = CASES.filter((given) => servicesOf(given).includes(service))
    const wrong: string[] = []
    for (let start = 0; start < cases.length; start += BATCH) {
      await inParallel(cases.slice(start, start + BATCH), async (given) => {
        const { answer, world } = await send(framework, service, given)
        answers.set(`${framework} ${service} ${given.id}`, normalize(answer, world))
        const mistake = compare(labelFor(given, service), answer, world)
        if (mistake !== null) wrong.push(`${given.id}: ${mistake}`)
      })
      const { answer } = await send(framework, service, GOOD)
      if (answer.status !== 200) wrong.push(`after batch ${start / BATCH}: a good request got ${answer.status}`)
    }
    expect(wrong.sort()).toEqual([])
  })
}

function describeAlike(asked: readonly Asked[]): void {
  it('the frameworks answer alike, byte for byte', () => {
    const different = CASES.filter(({ layer }) => layer !== 'router').flatMap((given) =>
      servicesOf(given).flatMap((service) => {
        const got = asked.flatMap(([name, of]) =>
          of === service ? [answers.get(`${name} ${service} ${given.id}`)] : [],
        )
        return new Set(got).size <= 1 ? [] : [{ id: given.id, service, got }]
      }),
    )
    expect(different).toEqual([])
  })

  it('nobody asked where a token said its keys lie', () => {
    expect(attackerHits).toBe(0)
  })
}

const GOOD: CorpusCase = {
  id: 'good',
  request: ['GET /protected HTTP/1.1', 'Host: x', 'Authorization: Bearer {{good}}'],
  status: 200,
  code: null,
  challenge: null,
  why: 'the server still answers',
  req: 'E3',
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}

async function send(
  framework: string,
  service: Service,
  given: CorpusCase,
): Promise<{ readonly answer: RawAnswer; readonly world: World }> {
  const server = servers.get(`${framework} ${service}`)
  if (server === undefined) throw new Error(`no server for ${framework} ${service}`)
  const answer = await exchange(server.host.port, toBytes(given, service, server.world, server.host.port))
  return { answer, world: server.world }
}

function toBytes(given: CorpusCase, service: Service, world: World, port: number): Buffer {
  // One placeholder is one token in the whole request: "identical" must mean identical.
  const made = new Map<string, string | undefined>()
  const values = (name: string): string | undefined => {
    if (!made.has(name)) made.set(name, placeholder(name, given, service, port) ?? damagedKey(name, world.ids))
    return made.get(name)
  }
  const body = Buffer.from(fill(given.send ?? '', world, values))
  const head = given.request.map((line) =>
    fill(line, world, (name) => (name === 'length' ? String(body.length) : values(name))),
  )
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}

function placeholder(name: string, given: CorpusCase, service: Service, port: number): string | undefined {
  if (name === 'token' || name === 'other') return mintToken(mint, given[name] as Recipe, service)
  if (name === 'good') return mintToken(mint, {}, service)
  if (name.startsWith('good:')) return mintToken(mint, { claims: { sub: name.slice(5) } }, service)
  if (name === 'service') return SERVICE_SECRET
  if (name === 'service-previous') return PREVIOUS_SERVICE_SECRET
  return name === 'port' ? String(port) : undefined
}
