// `npm run bench`: what the pipeline costs beside its peers, as ratios of one interleaved run on this machine.
import { createVerifier } from 'fast-jwt'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { type Auth, type AuthRequest, createJwtVerifier, type KeySource, type Verifier } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer } from '../../src/testing/index.ts'
import { createTestAuth } from '../support/world.ts'
import { compareOverHttp } from './http.ts'
import { compareImports } from './import-cost.ts'
import { type Comparison, type Contender, compare, type Spread } from './rounds.ts'

const ROUNDS = 15
const COLD = 200
const WARM = 2000
const AUDIENCE = 'authenticated'

const issuer = await createTokenIssuer({ issuer: 'https://issuer.example.test', audience: AUDIENCE })
const jwks = issuer.jwks() as JSONWebKeySet

function createBenchVerifier(): Verifier<never> {
  const keys: KeySource[] = [
    { kind: 'secret', secret: issuer.secret },
    { kind: 'jwks', keys: jwks.keys },
  ]
  return createJwtVerifier({ issuers: [{ issuer: issuer.issuer, keys, audience: AUDIENCE }] })
}

function createBenchAuth(): Auth {
  return createTestAuth(createMemoryStorage(), { verifier: createBenchVerifier() }) as unknown as Auth
}

// A fresh string each time, as an HTTP parser makes one: its hash is not computed yet.
function requestWith(token: string): AuthRequest {
  const line = Buffer.from(`Bearer ${token}`, 'latin1').toString('latin1')
  return {
    method: 'GET',
    path: '/',
    source: {},
    params: null,
    lines: (name) => (name === 'authorization' ? [line] : []),
    remoteAddress: null,
    encrypted: false,
    upgrade: false,
    body: async () => ({ kind: 'bytes', bytes: new Uint8Array() }),
  }
}

async function sign(algorithm: string, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => issuer.sign({ jti: `${i}` }, { algorithm } as never)))
}

async function cold(algorithm: string): Promise<Comparison[]> {
  // Enough for every round, the uncounted one too: no token comes twice, so that no cache has seen it.
  const tokens = await sign(algorithm, COLD * (ROUNDS + 1))
  const keys = createLocalJWKSet(jwks)
  const secret = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(issuer.secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  const options = { issuer: issuer.issuer, audience: AUDIENCE, clockTolerance: 5 }
  const jose: Contender = {
    name: 'jose jwtVerify',
    prepare: async () => (i) =>
      algorithm === 'HS256'
        ? jwtVerify(tokens[i] as string, secret, options)
        : jwtVerify(tokens[i] as string, keys, options),
  }
  const verifier = createBenchVerifier()
  const auth = createBenchAuth()
  await auth.authenticate(requestWith(await issuer.sign({}, { algorithm } as never)))
  const alone = eachOnce(tokens, 'verify() alone', (token) => verifier.verify(token))
  const whole = eachOnce(tokens, 'authenticate(), whole pipeline', (token) => auth.authenticate(requestWith(token)))
  return compare([jose, alone, whole], ROUNDS, COLD)
}

function eachOnce(tokens: readonly string[], name: string, use: (token: string) => unknown): Contender {
  let next = 0
  return { name, prepare: async () => () => use(tokens[next++] as string) }
}

async function warm(population: number): Promise<Comparison[]> {
  const tokens = await sign('HS256', population)
  const pick = (i: number): string => tokens[(i * 7919) % population] as string
  const fresh = (i: number): string => Buffer.from(pick(i), 'latin1').toString('latin1')
  const verifyFast = createVerifier({
    key: issuer.secret,
    cache: population,
    allowedIss: issuer.issuer,
    allowedAud: AUDIENCE,
    clockTolerance: 5,
  })
  const verifier = createBenchVerifier()
  const auth = createBenchAuth()
  for (const token of tokens) {
    verifyFast(token)
    await verifier.verify(token)
    await auth.authenticate(requestWith(token))
  }
  return compare(
    [
      { name: 'fast-jwt, cache', prepare: async () => (i) => verifyFast(fresh(i)) },
      { name: 'verify() alone', prepare: async () => (i) => verifier.verify(fresh(i)) },
      { name: 'authenticate(), whole pipeline', prepare: async () => (i) => auth.authenticate(requestWith(pick(i))) },
    ],
    ROUNDS,
    WARM,
  )
}

function print(title: string, comparisons: readonly Comparison[]): void {
  console.log(`\n${title}`)
  for (const { name, cpuMicroseconds, cpuRatio, speedRatio } of comparisons) {
    const cpu = `${cpuMicroseconds.toFixed(1)} µs`
    console.log(`  ${name.padEnd(34)}${cpu.padStart(11)}   cpu ${show(cpuRatio)}   speed ${show(speedRatio)}`)
  }
}

function show(values: Spread): string {
  return values.map((value) => `${value.toFixed(2)}x`.padStart(7)).join(' /')
}

console.log(
  `Node ${process.version}; ${ROUNDS} interleaved rounds; processor time for one call (median), then against the`,
)
console.log('first line of the block: processor time, and calls a second (minimum / median / maximum of the rounds)')
for (const algorithm of ['HS256', 'ES256', 'RS256', 'EdDSA']) {
  print(`Cold, ${algorithm}: every token seen for the first time`, await cold(algorithm))
}
for (const population of [1000, 10_000]) {
  print(`Warm, HS256: ${population} tokens again and again`, await warm(population))
}
for (const framework of ['express', 'koa', 'hono']) {
  print(
    `Over HTTP, ES256 on ${framework}: the server's processor time`,
    await compareOverHttp(framework, issuer, AUDIENCE),
  )
}
print('Cold import, fresh processes', await compareImports())
