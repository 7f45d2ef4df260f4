/**
 * Every page, dialog and complaint of the dashboard, in light and dark, on a desk, a tablet and a phone: every control has a name,
 * nothing is wider than the screen, and each is photographed. `PHOTOGRAPHS=<folder>` keeps the pictures, to be looked at.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Ironflow, signIn, startIronflow, visit } from './dashboard.ts'

const ADMIN = 'admin@ironflow.local'
const DESK = { width: 1200, height: 760 }
const PHONE = { width: 375, height: 740 }
const TABLET = { width: 900, height: 760 }
const SMALL = { width: 320, height: 640 }
const { PHOTOGRAPHS: kept } = process.env

let browser: Browser
let ironflow: Ironflow
let folder: string
beforeAll(async () => {
  folder = kept ?? mkdtempSync(join(tmpdir(), 'sallyport-dashboard-'))
  mkdirSync(folder, { recursive: true })
  ;[browser, ironflow] = await Promise.all([launchBrowser(), startIronflow()])
})
afterAll(async () => {
  await browser?.close()
  await ironflow?.close()
  if (kept === undefined) rmSync(folder, { recursive: true })
})

async function photograph(page: Page, name: string): Promise<void> {
  const { unnamed, tooWide } = await page.evaluate(() => ({
    unnamed: [...document.querySelectorAll<HTMLInputElement>('input:not([hidden]), select, textarea')]
      .filter((control) => control.labels?.length === 0 && control.getAttribute('aria-label') === null)
      .map((control) => control.outerHTML),
    // A list hides what it has no room for.
    tooWide: [document.documentElement, ...document.querySelectorAll('.list, dialog')].some(
      ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth,
    ),
  }))
  expect([name, unnamed, tooWide]).toEqual([name, [], false])
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  expect(statSync(path).size).toBeGreaterThan(5000)
}

const many = (count: number): unknown[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ id: `${i}`, email: `somebody.${i}@example.com`, role: i % 7 === 0 ? 'developer' : 'viewer' },
    ...{ disabled: i % 5 === 0, created_at: '2026-01-01T00:00:00.000Z' },
  }))

it.each([
  ['desk-light', 'light', DESK],
  ['desk-dark', 'dark', DESK],
  ['phone-light', 'light', PHONE],
  ['phone-dark', 'dark', PHONE],
  ['tablet-light', 'light', TABLET],
  ['small-dark', 'dark', SMALL],
] as const)('%s', async (view, scheme, size) => {
  const { page, context, errors } = await visit(browser, ironflow.url, scheme)
  await page.setViewportSize(size)
  const take = (name: string): Promise<void> => photograph(page, `${view}-${name}`)
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()

  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  expect(paper).toBe(scheme === 'light' ? 'rgb(246, 246, 243)' : 'rgb(20, 24, 26)')
  await take('login')
  await page.getByLabel('Email').fill('nobody@example.com')
  await page.getByLabel('Password', { exact: true }).fill('not the right one')
  await press('Sign in')
  await page.getByText('Email or password is wrong.').waitFor()
  await take('login-error')
  await signIn(page, ADMIN, ironflow.password)
  await page.getByLabel('Name').fill(`send-invoice-${view}`)
  await press('Add function')
  await page.getByText(`send-invoice-${view}`, { exact: true }).waitFor()
  await take('functions')

  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByRole('rowheader', { name: ADMIN }).waitFor()
  await press('Add user')
  await page.getByLabel('Email').fill(`maximiliana.konstantinopolitanska.${view}@department.subsidiary.example.com`)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await press('Create user')
  await page.getByText('Use 15 to 256 characters').waitFor()
  await take('users-form-error')
  await page.getByLabel('Password', { exact: true }).fill('four unlikely words here')
  await press('Create user')
  await page.getByRole('rowheader', { name: view }).waitFor()
  await page.getByLabel(`Role of ${ADMIN}`, { exact: true }).selectOption('viewer')
  await take('users')
  await press(`Apply role of ${ADMIN}`)
  await take('users-dialog')
  await press('Change my role')
  await page
    .getByRole('alert')
    .filter({ hasText: 'last admin' })
    .or(page.getByText('session has ended'))
    .first()
    .waitFor()
  await take('users-refused')
  await page
    .getByRole('button', { name: /^Reset password of/ })
    .first()
    .click()
  await press('Suggest one')
  await take('users-password')
  await press('Cancel')
  await page.route('**/api/v1/users', (route) => route.fulfill({ json: { users: many(240) } }), { times: 1 })
  await page.reload()
  await page.getByText('240 users').waitFor()
  await take('users-many')
  await page.getByLabel('Find').fill('somebody.9')
  await page.getByText('11 of 240 users').waitFor()
  await take('users-found')
  await page.route('**/api/v1/functions', (route) => route.abort(), { times: 1 })
  await page.getByRole('link', { name: 'Functions' }).click()
  await page.getByText('The server does not answer.').waitFor()
  await take('server-away')
  await press('Try again')
  await page.getByText(`send-invoice-${view}`, { exact: true }).waitFor()
  await press(`Delete send-invoice-${view}`)
  await take('functions-dialog')
  await press('Cancel')

  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('heading', { name: 'API keys', exact: true }).waitFor()
  await press('New key')
  await take('keys-form')
  await page.getByLabel('Name').fill(`worker ${view}`)
  await press('Create key')
  await page.getByLabel(`Key worker ${view}`).waitFor()
  await take('keys-dialog')
  await press('Done')
  await page.getByRole('rowheader', { name: `worker ${view}` }).waitFor()
  await take('keys')

  await page.getByRole('link', { name: 'Password' }).click()
  await page.getByRole('heading', { name: 'Password', exact: true }).waitFor()
  await take('password')
  await page.route('**/api/v1/auth/logout', (route) => route.fulfill({ status: 500 }))
  await press('Sign out')
  await page.getByText('You are still signed in.').waitFor()
  await take('still-signed-in')
  await context.close()
  expect(errors).toEqual([
    'Failed to load resource: net::ERR_FAILED',
    'Failed to load resource: the server responded with a status of 500 (Internal Server Error)',
  ])
})
