/**
 * The dashboard over `/metrics`, on a desk and a phone, light and dark: it shows what the page says, nothing is wider than the
 * screen, and each is photographed. `PHOTOGRAPHS=<folder>` keeps the pictures, to be looked at.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AppProcess, startProcess } from '../systems/app-process.ts'
import { launchBrowser } from './browser.ts'
import { visit } from './dashboard.ts'

const { PHOTOGRAPHS: kept } = process.env

let browser: Browser
let app: AppProcess
let folder: string
beforeAll(async () => {
  folder = kept ?? mkdtempSync(join(tmpdir(), 'sallyport-metrics-'))
  mkdirSync(folder, { recursive: true })
  ;[browser, app] = await Promise.all([launchBrowser(), startProcess(['examples/metrics/main.ts'], { PORT: '0' })])
})
afterAll(async () => {
  await browser?.close()
  await app?.stop()
  if (kept === undefined) rmSync(folder, { recursive: true })
})

it.each([
  ['desk-light', 'light', { width: 1200, height: 760 }],
  ['desk-dark', 'dark', { width: 1200, height: 760 }],
  ['phone-light', 'light', { width: 375, height: 740 }],
  ['phone-dark', 'dark', { width: 375, height: 740 }],
] as const)('%s', async (name, scheme, size) => {
  const { context, page, errors } = await visit(browser, app.url, scheme)
  await page.setViewportSize(size)
  await page.waitForFunction(() => /last (?:[3-9]|\d\d) s/.test(document.getElementById('state')?.textContent ?? ''))
  const shown = await page.evaluate(() => ({
    tiles: [...document.querySelectorAll('.tile b')].map(({ textContent }) => textContent),
    charts: [...document.querySelectorAll('svg')].map((chart) => chart.getAttribute('aria-label') ?? ''),
    tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  }))
  expect(shown.tooWide).toBe(false)
  expect(shown.tiles).toHaveLength(4)
  expect(shown.charts[0]).toMatch(/^Requests a second over \d+ seconds: let in [1-9]\d*, /)
  expect(shown.charts[1]).toMatch(/verify [\d.]+ ms, [\d.]+ ms; users [\d.]+ ms, /)
  expect(await page.locator('.row code').allTextContents()).toContain('credential_missing')
  expect(errors).toEqual([])
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path, fullPage: true })
  expect(statSync(path).size).toBeGreaterThan(5000)
  await context.close()
})

it('says so where the page can no longer be read', async () => {
  const { context, page } = await visit(browser, app.url)
  await page.waitForFunction(() => /last/.test(document.getElementById('state')?.textContent ?? ''))
  await app.stop()
  await page.waitForFunction(() => document.body.classList.contains('stale'))
  await page.screenshot({ path: join(folder, 'stale.png') })
  expect(await page.textContent('#state')).toContain("/metrics can't be read")
  await context.close()
})
