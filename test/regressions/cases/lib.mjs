/**
 * Shared by the programs of this folder, each of which shows one fault that the library once had. They know the build and the
 * development packages of the project that `--project DIR` names (`npm ci` and `npm run build` done), and say `ok` or `fault`.
 */

import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const at = process.argv.indexOf('--project')
if (at < 0 || process.argv[at + 1] === undefined) {
  console.error('usage: node SCRIPT --project DIR   (DIR: a checkout with npm ci and npm run build done)')
  process.exit(2)
}
export const project = resolve(process.argv[at + 1])
const require = createRequire(`${project}/package.json`)

/** A built entry: load('index'), load('koa') … */
export const load = (entry) => import(pathToFileURL(`${project}/dist/${entry}.js`).href)
/** A development package of the project. */
export const dep = async (name) => import(pathToFileURL(require.resolve(name)).href)

/** Print what was seen, and `ok` or `fault`; exit code 0 or 1. */
export function verdict(isOk, ...seen) {
  for (const each of seen) console.log(typeof each === 'string' ? each : JSON.stringify(each))
  console.log(isOk ? 'ok' : 'fault')
  process.exit(isOk ? 0 : 1)
}

/** End the script as a fault after so many seconds, or what a slow machine is given of them, whatever hangs. */
export function within(seconds, what = 'still waiting') {
  const factor = Number(process.env.SALLYPORT_TEST_PATIENCE ?? '1')
  setTimeout(() => verdict(false, what), seconds * 1000 * factor).unref()
}

/** An HTTP server on loopback. */
export function listen(handler, server = createServer(handler)) {
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () =>
      done({ server, port: server.address().port, url: `http://127.0.0.1:${server.address().port}` }),
    ),
  )
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms))

/** Keys and tokens, made by jose. */
export async function signer(alg = 'ES256', kid = 'k1') {
  const { generateKeyPair, exportJWK, SignJWT } = await dep('jose')
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' }
  const sign = (claims, header = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(pair.privateKey)
  return { jwk, sign, pair }
}

/** Claims that are right for issuer and audience. */
export function claimsOf(issuer, more = {}) {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    aud: 'authenticated',
    sub: 'user-1',
    iat: now,
    exp: now + 600,
    email: 'ada@example.test',
    ...more,
  }
}
