// The page of identity providers is kept true: a preset is what is written out below it, no preset is missing, its table is as the
// code has it. That what is written out answers tokens as the preset does is held with each preset.
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, expect, it } from 'vitest'
import { withTables } from '../../scripts/readme-tables.ts'
import { createJwtVerifier, type IssuerOptions } from '../../src/index.ts'
import * as presets from '../../src/verify/presets/index.ts'
import { dataOf } from '../verify/presets/preset-cases.ts'
import { openSnippets, PAGES, snippets } from './snippets.ts'

const page = PAGES.find(({ path }) => path === 'docs/issuers.md')?.text ?? ''
const long = snippets.filter(({ name }) => name.endsWith('.long.ts')).map(({ name }) => name)
const { load, remove } = openSnippets()

afterAll(remove)

it.each(long)('%s is the short form written out', async (name) => {
  const { short } = await load<{ short: IssuerOptions }>(name.replace('.long', ''))
  const written = await load<{ long: IssuerOptions }>(name)
  expect(dataOf(written.long)).toEqual(dataOf(short))
})

it('entra-tenants.ts says what the short form has for issuer and keys', async () => {
  const { short, ...long } = await load<{ short: IssuerOptions }>('entra-tenants.ts')
  expect(short).toMatchObject(long)
})

it.each(['kinde', 'descope', 'stytch', 'propelauth', 'gitlab', 'spiffe'])('%s.ts makes a verifier', async (name) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  process.env['PROPELAUTH_PUBLIC_KEY'] = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const issuers = Object.values(await load<Record<string, IssuerOptions>>(`${name}.ts`))
  expect(() => createJwtVerifier({ issuers })).not.toThrow()
})

it('gateways.ts and use.ts make an auth each', async () => {
  expect(Object.keys(await load<object>('gateways.ts'))).toEqual(['cloudflare', 'googleIap', 'pomerium'])
  expect(await load<object>('use.ts')).toHaveProperty('auth.authenticate')
})

it('has every preset, with a section and a row', () => {
  const names = Object.keys(presets)
  expect(names.filter((name) => !page.includes(`= ${name}({`))).toEqual([])
  expect(names.filter((name) => !page.includes(`| [${name}](#`))).toEqual([])
})

it('has its table as the code has it (npm run pages writes it)', async () => {
  expect(await withTables(page)).toBe(page)
})

it('links to sections that are there', () => {
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'))
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = '']) => link)
  expect(links.filter((link) => !titles.includes(link))).toEqual([])
})
