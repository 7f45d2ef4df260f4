/** The five passages of the document's sequence diagram, in a real browser against a real process. */
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Ironflow, signIn, startIronflow, stored, type Visit, visit } from './dashboard.ts'

const TOKEN = 'ironflow_dashboard_token'

let browser: Browser
let ironflow: Ironflow
let visitor: Visit
beforeAll(async () => {
  ;[browser, ironflow] = await Promise.all([launchBrowser(), startIronflow()])
})
afterAll(async () => {
  await browser?.close()
  await ironflow?.close()
})

it('startup: the secret is generated and kept, for this user alone', () => {
  const file = join(ironflow.folder, '.ironflow_jwt_secret')
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('first visit: no token, so nothing is validated; logging in stores it in cookie and localStorage', async () => {
  visitor = await visit(browser, ironflow.url)
  const { page, context, takeAsked } = visitor
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(takeAsked()).toEqual(['GET /api/v1/capabilities'])
  await signIn(page, 'admin@ironflow.local', ironflow.password)
  expect(takeAsked()[0]).toBe('POST /api/v1/auth/login')
  expect(page.url()).toBe(`${ironflow.url}/#/functions`)
  const [cookie, ...more] = await context.cookies()
  expect(more).toEqual([])
  expect(cookie).toMatchObject({ name: TOKEN, path: '/', httpOnly: true, sameSite: 'Lax', secure: false })
  const seconds = (cookie?.expires ?? 0) - Date.now() / 1000
  expect(Math.abs(seconds - 86_400)).toBeLessThan(3600)
  expect(await stored(page, TOKEN)).toBe(cookie?.value)
  expect(await page.evaluate(() => document.cookie)).toBe('')
})

it('normal usage: the cookie and the environment go with each request; the same token acts in another one', async () => {
  const { page, asked } = visitor
  await page.getByLabel('Name').fill('send-invoice')
  await page.keyboard.press('Enter')
  await page.getByText('send-invoice', { exact: true }).waitFor()
  const lastAsked = async (): Promise<Record<string, string>> => {
    const request = asked.findLast((one) => one.method() === 'GET' && one.url().endsWith('/functions'))
    const {
      cookie = '',
      authorization = '',
      'x-ironflow-environment': environment = '',
    } = (await request?.allHeaders()) ?? {}
    return { cookie, authorization, environment }
  }
  const cookie = `${TOKEN}=${await stored(page, TOKEN)}`
  expect(await lastAsked()).toEqual({ cookie, authorization: '', environment: 'env_default' })
  await page.getByLabel('Environment').selectOption('env_myproject_staging')
  await page.getByText('No functions yet').waitFor()
  expect(await lastAsked()).toEqual({ cookie, authorization: '', environment: 'env_myproject_staging' })
  await page.getByLabel('Environment').selectOption('env_default')
  await page.getByText('send-invoice', { exact: true }).waitFor()
})

it('returning after a server restart: validated, and the session goes on', async () => {
  const { page, takeAsked } = visitor
  await ironflow.restart()
  takeAsked()
  await page.reload()
  await page.getByText('send-invoice', { exact: true }).waitFor()
  expect(takeAsked().slice(0, 2)).toEqual(['GET /api/v1/capabilities', 'GET /api/v1/auth/validate'])
  expect(visitor.refusals).toEqual([])
})

it('stale token: the secret was reset, validate answers 401, the token is cleared, login page', async () => {
  const { page, context, takeAsked } = visitor
  await ironflow.restart(() => rmSync(join(ironflow.folder, '.ironflow_jwt_secret')))
  takeAsked()
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(takeAsked()).toEqual([
    ...['GET /api/v1/capabilities', 'GET /api/v1/auth/validate'],
    // What takes the cookie away, which no script can.
    'POST /api/v1/auth/logout',
  ])
  expect([await stored(page, TOKEN), await context.cookies()]).toEqual([null, []])
  expect(page.url()).toBe(`${ironflow.url}/#/login`)
  await signIn(page, 'admin@ironflow.local', ironflow.password)
  expect(visitor.refusals).toEqual([401])
})

it('no error on the page, from first to last', () => {
  expect(visitor.errors).toEqual([])
})
