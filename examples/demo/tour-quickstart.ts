/** The tour of the quick start: three frameworks, one answer; then the variables. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chapter, DeedStep, Step } from './step.ts'
import type { World } from './world.ts'

const guarded = 'GET /protected'
const whoAmI = { subject: '*', user: { id: '*' }, org: { id: '*' }, role: 'owner' }

const onFramework = (at: string): Step[] => [
  { at, send: 'GET /health', ok: 200, body: { status: 'ok' } },
  { at, send: guarded, no: 'unauthorized:absent' },
  { at, send: guarded, lines: [['Authorization', 'Basic eDp5']], no: 'unauthorized:absent' },
  { at, send: guarded, lines: [['Authorization', 'Bearer']], no: 'bad_request' },
  { at, send: guarded, as: 'ada', lines: [['Authorization', 'Bearer b']], no: 'bad_request' },
  { at, send: guarded, as: 'ada of another issuer', no: 'unauthorized' },
  { at, send: guarded, as: 'ada expired', no: 'token_expired' },
  {
    at,
    send: guarded,
    as: 'ada',
    times: 100,
    ok: 200,
    body: whoAmI,
    keep: { [`${at}.user`]: 'user.id', [`${at}.org`]: 'org.id' },
  },
  { at, send: guarded, as: 'ada by RS256', ok: 200, body: whoAmI, headers: { 'X-Org-Id': `{${at}.org}` } },
  { at, send: guarded, as: 'ada by EdDSA', ok: 200 },
  { at, send: guarded, as: 'ada by HS256', ok: 200 },
  { at, send: guarded, as: 'ada', lines: [['x-org-id', `{${at.toUpperCase()}.ORG}`]], ok: 200, body: whoAmI },
  { at, send: guarded, as: 'bob', lines: [['X-Org-Id', `{${at}.org}`]], no: 'forbidden' },
  { at, send: guarded, as: 'ada', lines: [['X-Org-Id', 'acme']], no: 'invalid_org_id' },
  { at, send: guarded, as: 'ada', lines: [['X-Org-Id', '']], no: 'invalid_org_id' },
  {
    at,
    send: 'GET /admin',
    as: 'ada',
    ok: 200,
    body: { user: { id: `{${at}.user}` }, org: { id: `{${at}.org}` }, role: 'owner' },
  },
  {
    at,
    send: 'POST /auth/sync',
    as: 'ada',
    ok: 200,
    body: { data: { user: { id: `{${at}.user}`, email: 'ada@example.test', org_id: `{${at}.org}`, role: 'owner' } } },
  },
  { at, send: 'POST /auth/sync', as: 'cyd', times: 20, once: 201, ok: 200 },
]

const sync = 'quick start, sync'
const problem = 'quick start, problem'
const young = 'quick start, young keys'
const cold = 'quick start, cold'
const FEW = 'at most 2 fetches'

/** The chapters. */
export const QUICKSTART: readonly Chapter[] = [
  ...['express', 'koa', 'hono'].map((at) => ({ title: `Quick start on ${at}`, steps: onFramework(at) })),
  {
    title: 'Quick start: USERS=sync ORG=user ROLE=developer AUDIENCE=tour',
    steps: [
      { at: sync, send: guarded, as: 'ada', no: 'unauthorized' },
      { at: sync, send: guarded, as: 'ada for the tour', no: 'user_not_synced' },
      {
        at: sync,
        send: 'POST /auth/sync',
        as: 'ada for the tour',
        ok: 201,
        body: { data: { user: { id: '*', email: 'ada@example.test', org_id: '*', role: 'developer' } } },
      },
      {
        at: sync,
        send: guarded,
        as: 'ada for the tour',
        lines: [['X-Org-Id', 'nonsense']],
        ok: 200,
        body: { ...whoAmI, role: 'developer' },
        headers: { 'X-Org-Id': null },
      },
      { at: sync, send: 'GET /admin', as: 'ada for the tour', no: 'forbidden' },
    ],
  },
  {
    title: 'Quick start: PROBLEM_JSON=1 CLOCK_TOLERANCE=0, and the embedded issuer',
    steps: [
      { at: problem, send: guarded, as: 'ada just expired', no: 'token_expired', problem: true },
      { at: 'quick start, embedded', send: guarded, as: 'embedded', ok: 200, body: whoAmI },
      { at: 'quick start, embedded', send: 'GET /admin', as: 'embedded', ok: 200 },
    ],
  },
  {
    title: 'Quick start: JWKS_MAX_AGE=1 JWKS_MAX_STALE=4, and a key server with bad days',
    steps: [
      { at: young, send: guarded, as: 'ada', ok: 200 },
      deed(young, 'the issuer signs by a new key, a second passes', async (world) => {
        await world.issuerOf(young).issuer.rotate('ES256')
        await sleep(1000)
      }),
      { at: young, send: guarded, as: 'ada anew', ok: 200 },
      keyServerDown(young),
      { at: young, send: guarded, as: 'ada', ok: 200 },
      deed(young, 'five seconds pass', () => sleep(5100)),
      { at: young, send: guarded, as: 'ada', no: 'keys_unavailable' },
      { at: young, send: guarded, as: 'ada by HS256', ok: 200 },
      keyServerDown(cold),
      { at: cold, send: guarded, as: 'ada', no: 'keys_unavailable' },
      { at: cold, send: guarded, as: 'ada by HS256', ok: 200 },
      { at: 'express', does: '1,000 tokens with unknown key ids', shows: FEW, act: flood },
    ],
  },
]

function deed(at: string, does: string, act: (world: World) => Promise<unknown>): DeedStep {
  return { at, does, shows: 'done', act: (world) => act(world).then(() => 'done') }
}

function keyServerDown(at: string): DeedStep {
  return deed(at, 'the key server goes away', (world) => world.issuerOf(at).down())
}

async function flood(world: World): Promise<string> {
  const server = world.issuerOf('express')
  const before = server.requests
  const began = performance.now()
  const [, payload, signature] = (await server.issuer.sign()).split('.')
  for (let batch = 0; batch < 20; batch += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: `unknown-${batch}-${index}` }))
        const authorization = `Bearer ${header.toString('base64url')}.${payload}.${signature}`
        const answer = await fetch(`${world.urlOf('express')}/protected`, { headers: { authorization } })
        if (answer.status !== 401) throw new Error(`answered ${answer.status}`)
      }),
    )
  }
  const fetches = server.requests - before
  // On a machine so slow that it takes half a minute, one more may be asked for then.
  const halfMinutes = Math.floor((performance.now() - began) / 30_000)
  return fetches <= 2 + halfMinutes ? FEW : `${fetches} fetches`
}
