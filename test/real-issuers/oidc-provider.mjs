import { createHash, randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { createBrowser, listen } from './listen.mjs'

const API = 'https://api.example.test'
const CALLBACK = 'http://127.0.0.1/callback'
const WORKER = { id: 'worker', secret: 'the-secret-of-a-worker-for-this-test' }
const SCOPE = 'contacts:read contacts:write'

/** oidc-provider, a certified OpenID provider: people with scopes, client credentials, any algorithm, new keys by `rotate`. */
export async function startOidcProvider(algorithms) {
  let handle
  const { url, stop } = await listen((req, res) => handle(req, res))
  let generation = 0
  // A new provider behind the same address is what a rotation looks like from outside.
  async function rotate() {
    generation += 1
    const keys = await Promise.all(algorithms.map((alg) => makeKey(alg, `${generation}-${alg}`)))
    handle = new Provider(url, configurationOf(keys, algorithms)).callback()
  }
  await rotate()
  return {
    issuer: url,
    audience: API,
    rotate,
    stop,
    /** Sign a person in, on the provider's own pages: their access token, signed by `alg`. */
    async signIn(login, scope, alg) {
      const ask = createBrowser(url)
      const verifier = randomBytes(32).toString('base64url')
      const resource = `${API}/${alg}`
      const query = new URLSearchParams({
        ...{ client_id: 'dashboard', redirect_uri: CALLBACK, response_type: 'code', scope, resource },
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      const code = await followTo(CALLBACK, ask, `/auth?${query}`, login)
      const exchange = { grant_type: 'authorization_code', code, client_id: 'dashboard', redirect_uri: CALLBACK }
      return (await (await ask('/token', { ...exchange, code_verifier: verifier, resource })).json()).access_token
    },
    /** The token of the worker's own, signed by `alg`. */
    async grantWorker(scope, alg) {
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${WORKER.id}:${WORKER.secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: `${API}/${alg}` }),
      })
      return (await response.json()).access_token
    },
  }
}

async function makeKey(alg, kid) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid }
}

async function followTo(end, ask, start, login) {
  let response = await ask(start)
  for (let steps = 0; steps < 10; steps++) {
    const to = response.headers.get('location')
    if (to === null) throw new Error(`oidc-provider: ${response.status} ${await response.text()}`)
    if (to.startsWith(end)) return new URL(to).searchParams.get('code')
    if (!to.includes('/interaction/')) {
      response = await ask(to)
      continue
    }
    const page = await (await ask(to)).text()
    const prompt = page.match(/name="prompt" value="(\w+)"/)[1]
    const form = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt }
    response = await ask(page.match(/action="([^"]+)"/)[1], form)
  }
  throw new Error('oidc-provider: no end of redirects')
}

function configurationOf(keys, [signedBy]) {
  return {
    jwks: { keys },
    clients: [
      {
        ...{ client_id: WORKER.id, client_secret: WORKER.secret, grant_types: ['client_credentials'] },
        ...{ redirect_uris: [], response_types: [], id_token_signed_response_alg: signedBy },
      },
      {
        ...{ client_id: 'dashboard', application_type: 'native', token_endpoint_auth_method: 'none' },
        ...{ redirect_uris: [CALLBACK], grant_types: ['authorization_code'], response_types: ['code'] },
        id_token_signed_response_alg: signedBy,
      },
    ],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: true, name: id }),
    }),
    scopes: ['openid', ...SCOPE.split(' ')],
    claims: { openid: ['sub', 'email', 'email_verified', 'name'] },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          ...{ audience: API, scope: SCOPE, accessTokenFormat: 'jwt', accessTokenTTL: 300 },
          jwt: { sign: { alg: resource.split('/').at(-1) } },
        }),
      },
    },
  }
}
