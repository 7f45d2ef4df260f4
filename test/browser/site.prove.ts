/**
 * The site of docs/ with its reference, built and opened: every page, light and dark and on a phone, the search, and every link;
 * nothing is asked of another server.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NAV } from '../../docs/.vitepress/nav.ts'
import { launchBrowser } from './browser.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const site = `${root}.data/site`
const photographs = `${root}.data/photographs/site`
const { paths } = JSON.parse(readFileSync(`${root}tsconfig.json`, 'utf8')).compilerOptions as { paths: object }
const PAGES = NAV.flatMap(({ pages }) => pages.map(({ page }) => `${page}.html`))
const REFERENCE = ['index', ...Object.keys(paths).map((name) => name.split('/')[1] ?? name)].map(
  (name) => `reference/${name}.html`,
)
const PATHS = ['', ...PAGES, ...REFERENCE]
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

let browser: Browser
let server: Server
let url: string

beforeAll(async () => {
  execFileSync(process.execPath, [`${root}scripts/site.mjs`, 'build'], { stdio: 'pipe' })
  mkdirSync(photographs, { recursive: true })
  server = createServer(({ url: target = '/' }, response) => {
    const path = new URL(target, 'http://site').pathname.replace(/\/$/, '/index.html')
    const found = existsSync(site + path)
    response.writeHead(found ? 200 : 404, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' })
    response.end(found ? readFileSync(site + path) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  browser = await launchBrowser()
}, 900_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
})

async function open(options: BrowserContextOptions): Promise<{ page: Page; problems: string[] }> {
  const page = await (await browser.newContext(options)).newPage()
  const problems: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) problems.push(request.url())
  })
  page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`)
  })
  return { page, problems }
}

it.each<[string, BrowserContextOptions]>([
  ['light', { colorScheme: 'light', viewport: { width: 1280, height: 900 } }],
  ['dark', { colorScheme: 'dark', viewport: { width: 1280, height: 900 } }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
])('every page, %s: no error, nothing from elsewhere, no wider than the window', async (name, options) => {
  const { page, problems } = await open(options)
  for (const path of PATHS) {
    await page.goto(url + path, { waitUntil: 'networkidle' })
    const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    if (Number(beyond) > 0) problems.push(`${path} is ${String(beyond)} px too wide`)
    await page.screenshot({ path: `${photographs}/${path.replace('.html', '') || 'index'}-${name}.png` })
  }
  expect(problems).toEqual([])
})

it('the search finds a section without asking anybody', async () => {
  const { page, problems } = await open({ viewport: { width: 1280, height: 900 } })
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.keyboard.press('Control+k')
  await page.fill('.VPLocalSearchBox input', 'security_invoker')
  await page.waitForSelector('.VPLocalSearchBox .result')
  expect(await page.textContent('.VPLocalSearchBox .result')).toContain('Views')
  expect(problems).toEqual([])
})

it('llms.txt names files that are there', () => {
  const named = [...readFileSync(`${site}/llms.txt`, 'utf8').matchAll(/\]\(\/([\w-]+\.md)\)/g)].map(([, name]) => name)
  expect(named.length).toBe(PAGES.length)
  expect(named.filter((name) => !existsSync(`${site}/${name}`))).toEqual([])
})

it('every link and every anchor of the built pages leads somewhere', () => {
  const files = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'))
  const pages = new Map(files.map((path) => [`/${path}`, readFileSync(`${site}/${path}`, 'utf8')]))
  const ids = new Map([...pages].map(([path, html]) => [path, new Set(attributes(html, 'id'))]))
  const dead = [...pages].flatMap(([path, html]) =>
    attributes(html, 'href')
      .map((href) => new URL(href, `http://site${path}`))
      .filter(({ host, pathname, hash }) => {
        const target = pathname.replace(/\/$/, '/index.html')
        if (host !== 'site') return false
        if (!target.endsWith('.html')) return !existsSync(site + target)
        return hash === '' ? !ids.has(target) : !ids.get(target)?.has(decodeURIComponent(hash.slice(1)))
      })
      .map(({ pathname, hash }) => `${path}: ${pathname}${hash}`),
  )
  expect(files.length).toBe(PATHS.length + 1)
  expect(dead).toEqual([])
})

function attributes(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value = '']) =>
    value.replaceAll('&amp;', '&'),
  )
}
