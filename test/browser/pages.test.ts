/** The dashboard's pages in a real browser: users, keys, the own password, signing out, by mouse and by keyboard alone. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { launchBrowser } from './browser.ts'
import { focused, type Ironflow, signIn, startIronflow, stored, type Visit, visit } from './dashboard.ts'

const ADMIN = 'admin@ironflow.local'
const PASSWORD = 'four unlikely words here'
// However busy the machine is.
const WAIT = { timeout: PATIENCE_MS }

let browser: Browser
let ironflow: Ironflow
const visits: Visit[] = []
beforeAll(async () => {
  ;[browser, ironflow] = await Promise.all([launchBrowser(), startIronflow()])
})
afterAll(async () => {
  await browser?.close()
  await ironflow?.close()
})
afterEach(async () => {
  const errors = visits.flatMap((one) => one.errors)
  await Promise.all(visits.splice(0).map(({ context }) => context.close()))
  expect(errors).toEqual([])
})

async function open(scheme?: 'light' | 'dark'): Promise<Visit> {
  const made = await visit(browser, ironflow.url, scheme)
  visits.push(made)
  return made
}

async function openAs(email: string, password: string): Promise<Visit> {
  const made = await open()
  await signIn(made.page, email, password)
  return made
}

async function addUser({ page }: Visit, email: string, role: string): Promise<void> {
  await page.getByRole('button', { name: 'Add user' }).click()
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Role', { exact: true }).selectOption(role)
  await page.getByRole('button', { name: 'Create user' }).click()
  await page.getByRole('rowheader', { name: email }).waitFor()
}

describe('the users page', () => {
  it('adds somebody, who signs in; changes the role, disables, deletes: each ends their session', async () => {
    const admin = await openAs(ADMIN, ironflow.password)
    const { page } = admin
    await page.getByRole('link', { name: 'Users' }).click()
    const email = 'grace@example.com'
    await addUser(admin, email, 'viewer')

    const { page: hers } = await openAs(email, PASSWORD)
    expect(await hers.getByRole('link').allTextContents()).toEqual(['Skip to content', 'Functions', 'Password'])
    expect(await hers.getByRole('button', { name: 'Add function' }).count()).toBe(0)

    await page.getByLabel(`Role of ${email}`, { exact: true }).selectOption('developer')
    await page.getByRole('button', { name: `Apply role of ${email}` }).click()
    await page.getByRole('status').filter({ hasText: 'is now developer' }).waitFor({ state: 'attached' })
    await hers.getByLabel('Environment').selectOption('env_myproject_staging')
    await hers.getByText('Your session has ended').waitFor()
    expect(await stored(hers, 'ironflow_dashboard_token')).toBeNull()
    await signIn(hers, email, PASSWORD)
    await hers.getByRole('button', { name: 'Add function' }).waitFor()

    await page.getByRole('button', { name: `Disable ${email}` }).click()
    await page.getByRole('button', { name: `Enable ${email}` }).waitFor()
    await hers.reload()
    await hers.getByRole('heading', { name: 'Sign in' }).waitFor()

    await page.getByRole('button', { name: `Delete ${email}` }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: `Delete ${email}` }).click()
    await page.getByRole('button', { name: 'Delete user' }).click()
    await page.getByRole('rowheader', { name: email }).waitFor({ state: 'detached' })
  })

  it('keeps the last admin, and says so; shows what is so afterwards', async () => {
    const { page, refusals } = await openAs(ADMIN, ironflow.password)
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByLabel(`Role of ${ADMIN}`, { exact: true }).selectOption('viewer')
    await page.getByRole('button', { name: `Apply role of ${ADMIN}` }).click()
    await page.getByRole('button', { name: 'Change my role' }).click()
    await page.getByRole('alert').filter({ hasText: 'This is the last admin' }).waitFor()
    await page.getByRole('button', { name: `Delete ${ADMIN}` }).click()
    await page.getByRole('button', { name: 'Delete user' }).click()
    await expect.poll(() => refusals, WAIT).toEqual([409, 409])
    await expect.poll(() => page.getByLabel(`Role of ${ADMIN}`, { exact: true }).inputValue(), WAIT).toBe('admin')
  })

  it('gives somebody a new password, which ends their sessions', async () => {
    const email = 'hedy@example.com'
    const admin = await openAs(ADMIN, ironflow.password)
    const { page } = admin
    await page.getByRole('link', { name: 'Users' }).click()
    await addUser(admin, email, 'viewer')
    const { page: hers } = await openAs(email, PASSWORD)
    await page.getByRole('button', { name: `Reset password of ${email}` }).click()
    const dialog = page.getByRole('dialog')
    expect(await focused(page)).toBe('New password')
    await dialog.getByLabel('New password').fill('short')
    await page.keyboard.press('Enter')
    await dialog.getByText('Use 15 to 256 characters').waitFor()
    await dialog.getByRole('button', { name: 'Suggest one' }).click()
    const given = await dialog.getByLabel('New password').inputValue()
    expect(given).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/)
    await dialog.getByRole('button', { name: 'Reset password' }).click()
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => focused(page), WAIT).toBe(`Reset password of ${email}`)
    await hers.reload()
    await hers.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(hers, email, given)
    expect(await page.getByRole('button', { name: `Reset password of ${ADMIN}` }).count()).toBe(0)
  })

  it('of many people shows a part, and finds the others', async () => {
    const { page } = await openAs(ADMIN, ironflow.password)
    const users = Array.from({ length: 240 }, (_, i) => ({
      ...{ id: `${i}`, email: `somebody.${i}@example.com`, role: 'viewer', disabled: i === 7 },
      created_at: '2026-01-01T00:00:00.000Z',
    }))
    await page.route('**/api/v1/users', (route) => route.fulfill({ json: { users } }), { times: 1 })
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByText('240 users').waitFor()
    expect(await page.getByRole('rowheader').count()).toBe(100)
    await page.getByRole('button', { name: 'Show 100 more' }).click()
    expect([await page.getByRole('rowheader').count(), await focused(page)]).toEqual([
      200,
      'Role of somebody.139@example.com',
    ])
    await page.getByLabel('Find').fill('Disabled')
    await page.getByText('1 of 240 users').waitFor()
    expect(await page.getByRole('rowheader').allTextContents()).toEqual(['somebody.7@example.com disabled'])
    await page.getByLabel('Find').fill('zz')
    await page.getByText('Nobody is called “zz”.').waitFor()
  })

  it('says what is wrong at the field that is wrong, and what is taken', async () => {
    const { page } = await openAs(ADMIN, ironflow.password)
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByRole('button', { name: 'Add user' }).click()
    const submit = page.getByRole('button', { name: 'Create user' })
    await page.getByLabel('Email').fill('nobody')
    await submit.click()
    await page.getByText('Enter an email address.').waitFor()
    expect(await focused(page)).toBe('Email')
    await page.getByLabel('Email').fill('nobody@example.com')
    await page.getByLabel('Password', { exact: true }).fill('short')
    await submit.click()
    await page.getByText('Use 15 to 256 characters').waitFor()
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await page.getByLabel('Email').fill(ADMIN)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await submit.click()
    await page.getByText('There is already a user with this email.').waitFor()
  })
})

it('removes a function after a question, and copies its id', async () => {
  const { page, context } = await openAs(ADMIN, ironflow.password)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByLabel('Name').fill('short-lived')
  await page.keyboard.press('Enter')
  const row = page.getByRole('listitem').filter({ hasText: 'short-lived' })
  await row.getByRole('button', { name: 'Copy ID of short-lived' }).click()
  await page.getByRole('status').filter({ hasText: 'Copied.' }).waitFor({ state: 'attached' })
  const id = await page.evaluate(() => navigator.clipboard.readText())
  expect(await row.locator('code').textContent()).toBe(id)
  await row.getByRole('button', { name: 'Delete short-lived' }).click()
  await page.getByRole('button', { name: 'Delete function' }).click()
  await row.waitFor({ state: 'detached' })
  await expect.poll(() => focused(page), WAIT).toBe('Functions')
})

it('works by keyboard alone: sign in, skip, go to the users, add one, let one be, sign out', async () => {
  const { page } = await open()
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key)
  }
  const tabTo = async (name: string): Promise<void> => {
    for (let step = 0; step < 40; step += 1) {
      if ((await focused(page)) === name) return
      await press('Tab')
    }
    throw new Error(`no way to "${name}" by Tab`)
  }
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await focused(page)).toBe('Email')
  await page.keyboard.type(ADMIN)
  await press('Tab')
  await page.keyboard.type(ironflow.password)
  await press('Enter')
  await page.getByRole('heading', { name: 'Functions' }).waitFor()

  await tabTo('Skip to content')
  await press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')
  await press('Shift+Tab')
  await tabTo('Users')
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)
  expect(outline).toBe('solid')
  await press('Enter')
  await page.getByRole('heading', { name: 'Users' }).waitFor()
  expect(await focused(page)).toBe('Users')

  await tabTo('Add user')
  await press('Enter')
  await expect.poll(() => focused(page), WAIT).toBe('Email')
  await page.keyboard.type('linus@example.com')
  await press('Tab')
  await page.keyboard.type(PASSWORD)
  await tabTo('Role')
  await press('ArrowUp', 'Tab', 'Enter')
  await page.getByRole('rowheader', { name: 'linus@example.com' }).waitFor()
  await expect.poll(() => focused(page), WAIT).toBe('Add user')
  expect(await page.getByLabel('Role of linus@example.com', { exact: true }).inputValue()).toBe('viewer')

  await tabTo('Delete linus@example.com')
  await press('Enter')
  await page.getByRole('dialog').waitFor()
  expect(await focused(page)).toBe('Cancel')
  await press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await expect.poll(() => focused(page), WAIT).toBe('Delete linus@example.com')
  await press('Enter', 'Tab', 'Enter')
  await page.getByRole('rowheader', { name: 'linus@example.com' }).waitFor({ state: 'detached' })

  for (let step = 0; step < 40 && (await focused(page)) !== 'Sign out'; step += 1) await press('Shift+Tab')
  await press('Enter')
  await page.getByText('You are signed out.').waitFor()
  expect(await stored(page, 'ironflow_dashboard_token')).toBeNull()
})

it('issues an API key that is shown once, works for a worker, and is revoked', async () => {
  const { page } = await openAs(ADMIN, ironflow.password)
  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Name').fill('worker')
  await page.getByLabel('Environment').selectOption('env_myproject_staging')
  await page.getByRole('button', { name: 'Create key' }).click()
  const key = await page.getByLabel('Key worker').inputValue()
  expect(key).toMatch(/^ifkey_/)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('rowheader', { name: 'worker' }).waitFor()
  expect(await page.content()).not.toContain(key)
  await page.reload()
  await page.getByRole('rowheader', { name: 'worker' }).waitFor()
  expect(await page.content()).not.toContain(key)

  const status = async (environment: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}`, 'x-ironflow-environment': environment }
    return (await fetch(`${ironflow.url}/api/v1/functions`, { headers })).status
  }
  expect([await status('env_myproject_staging'), await status('env_default')]).toEqual([200, 403])
  await page.getByRole('button', { name: 'Revoke worker' }).click()
  await page.getByRole('button', { name: 'Revoke key' }).click()
  await page.getByText('No API keys').waitFor()
  expect(await status('env_myproject_staging')).toBe(401)
})

it('changes the own password: every session ends, the old one is no good', async () => {
  const email = 'ada@example.com'
  const admin = await openAs(ADMIN, ironflow.password)
  await admin.page.getByRole('link', { name: 'Users' }).click()
  await addUser(admin, email, 'developer')
  const { page, refusals } = await openAs(email, PASSWORD)
  const { page: other } = await openAs(email, PASSWORD)
  await page.getByRole('link', { name: 'Password' }).click()
  const fill = async (current: string, next: string, again: string): Promise<void> => {
    await page.getByLabel('Current password').fill(current)
    await page.getByLabel('New password', { exact: true }).fill(next)
    await page.getByLabel('New password, again').fill(again)
    await page.getByRole('button', { name: 'Change password' }).click()
  }
  await fill(PASSWORD, 'another fine sentence', 'another fine sentense')
  await page.getByText('The two are not the same.').waitFor()
  await fill('not my password at all', 'another fine sentence', 'another fine sentence')
  await page.getByText('This is not your current password.').waitFor()
  await fill(PASSWORD, 'short', 'short')
  await page.getByText('Use 15 to 256 characters').waitFor()
  await fill(PASSWORD, 'another fine sentence', 'another fine sentence')
  await page.getByText('Your password was changed.').waitFor()
  expect(refusals).toEqual([403, 400])
  await other.reload()
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  await signIn(page, email, 'another fine sentence')
})

it('counts down while an account is closed, and lets the right password in afterwards', async () => {
  const { page, refusals } = await open()
  const email = page.getByLabel('Email')
  const password = page.getByLabel('Password', { exact: true })
  // What the server says at the fifth failure and later; here it comes first, and lasts long enough to be seen.
  const closed = { status: 429, headers: { 'Retry-After': '3' }, json: { error: { code: 'rate_limit_exceeded' } } }
  await page.route('**/api/v1/auth/login', (route) => route.fulfill(closed), { times: 1 })
  await email.fill(ADMIN)
  await password.fill(ironflow.password)
  // Waited for from before it is there: it is so for three seconds only.
  const told = page.getByRole('alert').filter({ hasText: 'Too many tries. You can try again in' }).waitFor()
  await Promise.all([told, page.keyboard.press('Enter')])
  const button = page.getByRole('button', { name: 'Sign in' })
  await page.getByRole('status').filter({ hasText: 'You can try again now.' }).waitFor({ state: 'attached' })
  expect(await button.getAttribute('aria-disabled')).toBeNull()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Functions' }).waitFor()
  expect(refusals).toEqual([429])
})

it('says so where the server itself has closed an account', async () => {
  const { page, refusals } = await open()
  await page.getByLabel('Email').fill('mallory@example.com')
  const password = page.getByLabel('Password', { exact: true })
  // A machine that stalls lets a wait pass unseen: then one more is looked at, and the next wait is longer.
  for (let attempt = 1; attempt < 12 && !refusals.includes(429); attempt += 1) {
    await password.fill('wrong wrong wrong')
    await page.keyboard.press('Enter')
    await expect.poll(() => refusals.length, WAIT).toBe(attempt)
  }
  expect(refusals.slice(0, 6).filter((status) => status === 401).length).toBeGreaterThanOrEqual(5)
  expect(refusals.at(-1)).toBe(429)
  await page.getByRole('status').filter({ hasText: 'You can try again now.' }).waitFor({ state: 'attached' })
})

it('leaves when another tab signs out, and says so when the server is gone', async () => {
  const { page, context, errors } = await openAs(ADMIN, ironflow.password)
  const tab = await context.newPage()
  await tab.goto(ironflow.url)
  await tab.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  const requests: Route[] = []
  await context.route('**/api/v1/auth/login', (route) => void requests.push(route), { times: 1 })
  const button = page.getByRole('button', { name: 'Sign in' })
  await page.getByLabel('Email').fill(ADMIN)
  await page.getByLabel('Password', { exact: true }).fill(ironflow.password)
  await page.keyboard.press('Enter')
  await expect.poll(() => requests.length, WAIT).toBe(1)
  expect(await button.getAttribute('aria-busy')).toBe('true')
  await requests[0]?.abort()
  await page.getByText('The server does not answer.').waitFor()
  await expect.poll(() => button.getAttribute('aria-busy'), WAIT).toBeNull()

  // Gone after the sign-in: what can't be listed can be asked for again.
  await page.route('**/api/v1/functions', (route) => route.abort(), { times: 2 })
  await page.keyboard.press('Enter')
  const again = page.locator('button:not([aria-busy])', { hasText: 'Try again' })
  await again.click()
  await again.waitFor()
  expect(await focused(page)).toBe('Try again')
  await again.click()
  await page.getByText('What runs in Default.').waitFor()
  await expect.poll(() => focused(page), WAIT).toBe('Functions')
  expect(errors.splice(0)).toEqual(Array(3).fill('Failed to load resource: net::ERR_FAILED'))
})

it('dev mode: no login, the admin at once, and a badge that says so', async () => {
  const dev = await startIronflow({ NODE_ENV: 'development' }, ['--dev'])
  const made = await visit(browser, dev.url)
  visits.push(made)
  await made.page.getByText('Dev mode').waitFor()
  await made.page.getByRole('link', { name: 'Users' }).click()
  await addUser(made, 'eve@example.com', 'admin')
  expect(await made.page.getByRole('button', { name: 'Sign out' }).count()).toBe(0)
  expect(await stored(made.page, 'ironflow_dashboard_token')).toBeNull()
  await dev.close()
})

it('another site’s page can neither act nor look', async () => {
  const { page, context } = await openAs(ADMIN, ironflow.password)
  const other = await context.newPage()
  // Another origin of the same site: the cookie is sent, what protects is the rule about the request's origin.
  const server = createServer((_, response) => response.end('hi')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await other.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const [answer] = await Promise.all([
    context.waitForEvent('response', (response) => response.url().endsWith('/api/v1/functions')),
    other.evaluate(async (url) => {
      await fetch(`${url}/api/v1/functions`, { method: 'POST', mode: 'no-cors', credentials: 'include' })
    }, ironflow.url),
  ])
  server.close()
  server.closeAllConnections()
  // Without the cookie it would be a 401.
  expect(answer.status()).toBe(403)
  await page.reload()
  await page.getByRole('heading', { name: 'Functions' }).waitFor()
})

it('serves files with their types and a policy; no inline script, no inline style', async () => {
  const page = await fetch(`${ironflow.url}/`)
  const html = await page.text()
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'/,
  )
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style|style=|onload=/)
  const types = { 'main.js': 'text/javascript', 'style.css': 'text/css', 'icon.svg': 'image/svg+xml' }
  for (const [name, type] of Object.entries(types)) {
    const { status, headers } = await fetch(`${ironflow.url}/dashboard/${name}`)
    expect([status, headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
      200,
      expect.stringContaining(type),
      'nosniff',
    ])
  }
  const outside = await fetch(`${ironflow.url}/dashboard/..%2fauth.ts`)
  expect(outside.status).toBe(404)
})
