import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterEach, expect, it } from 'vitest'
import { type JwksServer, startJwksServer } from '../../src/testing/key-server.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function start(issuer: Parameters<typeof startJwksServer>[0], port?: number): Promise<JwksServer> {
  const server = await startJwksServer(issuer, { port })
  closers.push(server.close)
  return server
}

const make = (url: string) => createTokenIssuer({ issuer: url, algorithms: ['ES256'] })
const ask = (url: string, init?: RequestInit) => fetch(url, { ...init, headers: { connection: 'close' } })

it('serves both paths, discovery and nothing else', async () => {
  const { url, jwksUrl, issuer } = await start(make)
  for (const path of ['/.well-known/jwks.json', '/auth/v1/.well-known/jwks.json']) {
    expect(await (await ask(url + path)).json()).toEqual(issuer.jwks())
  }
  for (const path of ['/.well-known/openid-configuration', '/auth/v1/.well-known/openid-configuration']) {
    expect(await (await ask(url + path)).json()).toMatchObject({ issuer: url, jwks_uri: jwksUrl })
  }
  expect((await ask(`${url}/keys`)).status).toBe(404)
  expect((await ask(jwksUrl, { method: 'POST' })).status).toBe(404)
})

it('serves the keys as they are: jose follows a rotation, and requests are counted', async () => {
  const own = await start(await createTokenIssuer({ algorithms: ['ES256'] }))
  const keys = createRemoteJWKSet(new URL(own.jwksUrl), { cooldownDuration: 0 })
  await jwtVerify(await own.issuer.sign(), keys)
  await own.issuer.rotate('ES256', { overlap: false })
  await jwtVerify(await own.issuer.sign(), keys)
  expect(own.requests).toBe(2)
})

it('is down, then back on its port', async () => {
  const own = await start(make)
  await own.down()
  await own.down()
  await expect(ask(own.jwksUrl)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await own.ok()
  expect((await ask(own.jwksUrl)).status).toBe(200)
  expect(own.requests).toBe(1)
})

it('is slow for as long as it is told, and cuts what waits when it goes away', async () => {
  const own = await start(make)
  await own.slow(0.01)
  expect(await (await ask(own.jwksUrl)).json()).toEqual(own.issuer.jwks())
  await own.slow(3600)
  const waiting = ask(own.jwksUrl).catch((error: Error) => error)
  while (own.requests < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  await own.down()
  expect(await waiting).toBeInstanceOf(TypeError)
  await own.ok()
  expect((await ask(own.jwksUrl)).status).toBe(200)
})

it('closes, and its port can be taken again', async () => {
  const own = await start(make)
  await own.close()
  await own.close()
  expect((await start(make, own.port)).port).toBe(own.port)
})

it('a misspelt option is a TypeError', async () => {
  await expect(startJwksServer(make, { ports: 1 } as never)).rejects.toThrow('unknown option')
})
