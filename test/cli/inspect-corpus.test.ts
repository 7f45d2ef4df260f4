/** Every token of the corpus, through the verifier and through `inspect`: one verdict, by one reason, and no token in what is printed. */
import { expect, it } from 'vitest'
import { verdictOf } from '../../src/cli/checks.ts'
import { examineToken } from '../../src/cli/examine-token.ts'
import { CHECKS } from '../../src/cli/token-checks.ts'
import { reasonSections } from '../../src/explain/reason-texts.ts'
import { createJwtVerifier, type IssuerOptions, isAuthError, type KeySource } from '../../src/index.ts'
import { createIssuerKey, createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { readCorpus, type Service, servicesOf } from '../corpus/case-format.ts'
import { type Mint, mintToken, type Recipe } from '../corpus/token-recipes.ts'
import { NOW } from '../corpus/world.ts'

const JWKS_URL = 'https://keys.test/jwks.json'

async function createMint(): Promise<Mint> {
  const issuer = await createTokenIssuer({ algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'], clock: () => NOW })
  const earlier = { ES256: [issuer.key('ES256')], EdDSA: [issuer.key('EdDSA')] }
  await issuer.rotate('ES256')
  earlier.EdDSA.unshift(await issuer.rotate('EdDSA'))
  await issuer.rotate('EdDSA')
  const [ES256, RS256, EdDSA] = await Promise.all([
    createIssuerKey('ES256', 'stranger'),
    createIssuerKey('RS256', 'stranger'),
    createIssuerKey('EdDSA', 'stranger'),
  ])
  return { issuer, earlier, strangers: { ES256, RS256, EdDSA }, attackerUrl: 'https://attacker.test/jwks.json' }
}

const mint = await createMint()

const fetchKeys: typeof fetch = async (url) => {
  expect(url).toBe(JWKS_URL)
  return Response.json(mint.issuer.jwks())
}

function issuersOf(service: Service): readonly IssuerOptions[] {
  const secret: KeySource = { kind: 'secret', secret: mint.issuer.secret }
  const jwks: KeySource = { kind: 'jwks', url: JWKS_URL }
  const keys = { hs256: [secret], jwks: [jwks], both: [secret, jwks] }[service]
  return [{ issuer: mint.issuer.issuer, keys, audience: mint.issuer.audience }]
}

// Each token once, its services in turn.
const recipes = new Map<string, readonly [Recipe, Service]>()
for (const [index, given] of readCorpus().entries()) {
  const services = servicesOf(given)
  const service = services[index % services.length] ?? 'both'
  for (const recipe of [given.token, given.other]) {
    if (recipe !== undefined) recipes.set(JSON.stringify(recipe), [recipe, service])
  }
}

it('the verdict and its reason are the verifier’s, and the check of that reason is among those that fail', async () => {
  expect(recipes.size).toBeGreaterThan(150)
  const verdicts = { passes: 0, refused: 0, unknown: 0 }
  const different: unknown[] = []
  for (const [recipe, service] of recipes.values()) {
    const token = mintToken(mint, recipe, service)
    const issuers = issuersOf(service)
    const verifier = createJwtVerifier({ issuers, fetch: fetchKeys, clock: () => NOW })
    const reason = await verifier.verify(token).then(
      () => null,
      (error: unknown) => (isAuthError(error) ? error.reason : error),
    )
    const examined = await examineToken(token, {
      ...{ issuers, hasKeys: true, isWritten: false, fetch: fetchKeys, now: NOW },
    })
    const verdict = verdictOf(examined.checks)
    verdicts[verdict] += 1
    const failing = examined.checks.filter(({ state }) => state === 'refused').map((check) => check.reason)
    const isSame =
      (examined.refusal?.reason ?? null) === reason &&
      verdict === (reason === null ? 'passes' : 'refused') &&
      (reason === null ? failing.length === 0 && examined.isVerified : failing.includes(String(reason)))
    if (!isSame) different.push({ recipe, service, reason, verdict, failing })
    const said = JSON.stringify(examined)
    for (const part of token.split('.')) if (part.length > 20 && said.includes(part)) different.push({ said })
  }
  expect(different).toEqual([])
  expect(verdicts.passes).toBeGreaterThan(20)
  expect(verdicts.refused).toBeGreaterThan(100)
})

it('each reason of a token belongs to one check', () => {
  const sections = Object.entries(reasonSections()).filter(([title]) => / of a token$/.test(title))
  const reasons = sections
    .flatMap(([, texts]) => Object.keys(texts))
    .filter((reason) => reason !== 'token_of_a_machine')
  expect(reasons.length).toBeGreaterThan(30)
  expect(CHECKS.flatMap((check) => check.reasons).sort()).toEqual(reasons.sort())
})
