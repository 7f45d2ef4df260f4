/** The refusals of the first step, and of what a verified caller may not enter. */
import { EventEmitter } from 'node:events'
import { fromNodeRequest, type NodeRequest } from '../../../src/http/node-request.ts'
import { createWorld, SERVICE_SECRET, type World } from '../world.ts'
import type { Refusal } from './refusal.ts'

const LONG = 'x'.repeat(8193)
const FOREIGN = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }

async function bearer({ sign }: World): Promise<string> {
  return `Bearer ${await sign()}`
}

async function behindGateway(token: string | string[]): Promise<unknown> {
  const auth = () => ({ cookie: undefined, apiKeys: undefined, gateway: { header: 'X-Gateway-Token' } })
  return createWorld({ auth }).authenticate({ headers: { 'x-gateway-token': token } })
}

export const REFUSALS_OF_CREDENTIALS: readonly Refusal[] = [
  {
    reason: 'credential_missing',
    code: 'unauthorized',
    wire: { challenge: 'Bearer' },
    provoke: ({ authenticate }) => authenticate({}),
  },
  {
    reason: 'bearer_token_too_long',
    code: 'unauthorized',
    provoke: ({ authenticate }) => authenticate({ headers: { authorization: `Bearer ${LONG}` } }),
  },
  {
    reason: 'authorization_repeated',
    code: 'bad_request',
    provoke: async (world) => {
      const line = await bearer(world)
      return world.authenticate({ headers: { authorization: [line, line] } })
    },
  },
  {
    reason: 'header_lines_dropped',
    code: 'bad_request',
    provoke: async (world) => {
      const rawHeaders = ['authorization', await bearer(world), ...Array.from({ length: 2000 }, () => 'x')]
      const message: NodeRequest = Object.assign(new EventEmitter(), { method: 'GET', rawHeaders })
      return world.auth.authenticate(fromNodeRequest(message))
    },
  },
  {
    reason: 'bearer_token_missing',
    code: 'bad_request',
    provoke: ({ authenticate }) => authenticate({ headers: { authorization: 'Bearer' } }),
  },
  {
    reason: 'bearer_token_malformed',
    code: 'bad_request',
    provoke: async (world) => world.authenticate({ headers: { authorization: `${await bearer(world)} x` } }),
  },
  {
    reason: 'gateway_header_malformed',
    code: 'bad_request',
    provoke: () => behindGateway(['t', 't']),
  },
  {
    reason: 'gateway_token_too_long',
    code: 'unauthorized',
    provoke: () => behindGateway(LONG),
  },
  {
    reason: 'service_secret_too_long',
    code: 'unauthorized',
    provoke: ({ authenticate }) => authenticate({ headers: { 'x-telephony-secret': LONG } }, { accept: ['service'] }),
  },
  {
    reason: 'service_header_repeated',
    code: 'bad_request',
    provoke: ({ authenticate }) =>
      authenticate({ headers: { 'x-telephony-secret': [SERVICE_SECRET, SERVICE_SECRET] } }, { accept: ['service'] }),
  },
  {
    reason: 'credential_ambiguous',
    code: 'bad_request',
    provoke: async (world) =>
      world.authenticate(
        { headers: { authorization: await bearer(world), 'x-telephony-secret': SERVICE_SECRET } },
        { accept: ['user', 'service'] },
      ),
  },
  {
    reason: 'cookie_ambiguous',
    code: 'unauthorized',
    provoke: async ({ authenticate, sign }) =>
      authenticate({ headers: { cookie: `session=${await sign()}; session=other` } }),
  },
  {
    reason: 'cookie_too_long',
    code: 'unauthorized',
    provoke: ({ authenticate }) => authenticate({ headers: { cookie: `session=${LONG}` } }),
  },
  {
    reason: 'cross_site_request',
    code: 'forbidden',
    provoke: async ({ authenticate, sign }) =>
      authenticate({ method: 'POST', headers: { cookie: `session=${await sign()}`, ...FOREIGN } }),
  },
  {
    reason: 'service_secret_wrong',
    code: 'unauthorized',
    provoke: ({ authenticate }) =>
      authenticate({ headers: { 'x-telephony-secret': `${SERVICE_SECRET}!` } }, { accept: ['service'] }),
  },
  {
    reason: 'caller_kind_not_accepted',
    code: 'forbidden',
    provoke: ({ authenticate }) =>
      authenticate({ headers: { 'x-telephony-secret': SERVICE_SECRET } }, { needs: 'identity' }),
  },
]
