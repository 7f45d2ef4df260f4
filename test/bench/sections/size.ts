/** What each weighs in a host's own bundle, minified and zipped. */
import { gzipSync } from 'node:zlib'
import { bundle, CORE } from '../../package/bundle.ts'
import { place } from '../places.ts'
import type { BenchOptions, Group, Row, Section } from '../section.ts'

const OWN_TARGET = { goal: 26, gate: 30 }

// What a host that verifies tokens by a key server imports.
const BUNDLES: Readonly<Record<string, string>> = {
  jose: "export { createRemoteJWKSet, jwtVerify } from 'jose'",
  'sallyport, Express': `${CORE}\nexport { createAdapter } from 'sallyport/express'`,
  'sallyport, Koa': `${CORE}\nexport { createAdapter } from 'sallyport/koa'`,
  'sallyport, Hono': `${CORE}\nexport { createAdapter } from 'sallyport/hono'`,
  'fast-jwt': "export { createVerifier } from 'fast-jwt'",
  jsonwebtoken: "export { default } from 'jsonwebtoken'",
  'aws-jwt-verify': "export { JwtVerifier } from 'aws-jwt-verify'",
  'express-jwt': "export { expressjwt } from 'express-jwt'",
  'express-oauth2-jwt-bearer': "export { auth } from 'express-oauth2-jwt-bearer'",
  'koa-jwt': "export { default } from 'koa-jwt'",
  'hono/jwk': "export { jwk } from 'hono/jwk'",
  'passport, passport-jwt': "export { default } from 'passport'\nexport { ExtractJwt, Strategy } from 'passport-jwt'",
  '@fastify/jwt': "export { default } from '@fastify/jwt'",
}

export async function benchSize({ progress }: BenchOptions): Promise<Section> {
  const zipped: Row[] = []
  const minified: Row[] = []
  for (const [name, text] of Object.entries(BUNDLES)) {
    progress(name)
    const bytes = await bundle(place, text)
    const isOurs = name.startsWith('sallyport')
    zipped.push({ ...rowOf(name, gzipSync(bytes).length), ...(isOurs ? OWN_TARGET : {}) })
    minified.push(rowOf(name, bytes.length))
  }
  const head = { unit: 'kB', better: 'lower', against: null, rounds: 1 } satisfies Partial<Group>
  return {
    title: 'Weight',
    about: `Bundled and minified by esbuild for Node, everything within that is not Node's own, frameworks left out. Of sallyport \
what a host of one framework with \`createAuth\` takes: verifier, provisioning, organizations, roles, refusals and the adapter; of \
the others what verifies a token. kB are 1,000 bytes.`,
    groups: [
      { ...head, title: 'Minified and gzipped', measure: 'size', rows: zipped },
      { ...head, title: 'Minified', measure: 'size', rows: minified },
    ],
    missing: [],
  }
}

function rowOf(name: string, bytes: number): Row {
  const kB = Math.round(bytes / 100) / 10
  return { name, value: { min: kB, median: kB, max: kB }, ratio: null }
}
