/** What goes wrong at a dashboard: double clicks, two tabs, a server that fails, a key that was not copied, a slip of a key. */
import type { Browser, BrowserContext, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { focused, type Ironflow, signIn, startIronflow, stored, visit } from './dashboard.ts'

const ADMIN = 'admin@ironflow.local'
const PASSWORD = 'four unlikely words here'
const TOKEN = 'ironflow_dashboard_token'
const WAIT = { timeout: 15_000 }

let browser: Browser
let ironflow: Ironflow
const contexts: BrowserContext[] = []
beforeAll(async () => {
  ;[browser, ironflow] = await Promise.all([launchBrowser(), startIronflow()])
})
afterAll(async () => {
  await browser?.close()
  await ironflow?.close()
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})

async function open(): Promise<Page> {
  const { page, context } = await visit(browser, ironflow.url)
  contexts.push(context)
  return page
}

async function openAdmin(): Promise<Page> {
  const page = await open()
  await signIn(page, ADMIN, ironflow.password)
  return page
}

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
const go = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('link', { name }).click()
  await page.getByRole('heading', { name, exact: true }).waitFor()
}

// Requests of this kind so far; each is held back for a moment, so that whoever is impatient can be.
async function counting(page: Page, method: string, path: string): Promise<() => number> {
  let count = 0
  await page.route(`**/api/v1/${path}`, async (route: Route) => {
    if (route.request().method() !== method) return route.fallback()
    count += 1
    await new Promise((resolve) => setTimeout(resolve, 300))
    return route.fallback()
  })
  return () => count
}

describe('signing out', () => {
  it.each([500, 403, 0])('that fails (%i) leaves the session, and says so', async (status) => {
    const page = await openAdmin()
    const fail = (route: Route): Promise<void> => (status === 0 ? route.abort() : route.fulfill({ status }))
    await page.route('**/api/v1/auth/logout', fail, { times: 1 })
    await press(page, 'Sign out')
    await page.getByRole('alert').filter({ hasText: 'You are still signed in.' }).waitFor()
    expect(await stored(page, TOKEN)).toMatch(/^eyJ/)
    await press(page, 'Sign out')
    await page.getByText('You are signed out.').waitFor()
    expect([await stored(page, TOKEN), await page.context().cookies()]).toEqual([null, []])
  })

  it('of a session that is over already is done', async () => {
    const page = await openAdmin()
    await page.route('**/api/v1/auth/logout', (route) => route.fulfill({ status: 401 }))
    await press(page, 'Sign out')
    await page.getByText('You are signed out.').waitFor()
    expect(await stored(page, TOKEN)).toBeNull()
  })
})

it('two tabs: each writes into the environment that it shows, also after a reload', async () => {
  const one = await openAdmin()
  const two = await one.context().newPage()
  await two.goto(ironflow.url)
  await two.getByLabel('Environment').selectOption('env_myproject_staging')
  await two.getByText('What runs in My project').waitFor()
  const add = async (page: Page, name: string): Promise<string> => {
    const sent = page.waitForRequest((request) => request.method() === 'POST')
    await page.getByLabel('Name').fill(name)
    await press(page, 'Add function')
    await page.getByText(name, { exact: true }).waitFor()
    return (await sent).headers()['x-ironflow-environment'] ?? ''
  }
  expect(await one.getByLabel('Environment').inputValue()).toBe('env_default')
  expect([await add(one, 'of-one'), await add(two, 'of-two')]).toEqual(['env_default', 'env_myproject_staging'])
  await one.reload()
  await one.getByText('of-one', { exact: true }).waitFor()
  expect(await one.getByLabel('Environment').inputValue()).toBe('env_default')
  expect(await add(one, 'of-one-again')).toBe('env_default')
  // A new one begins where the last choice was made.
  const three = await one.context().newPage()
  await three.goto(ironflow.url)
  await three.getByText('of-two', { exact: true }).waitFor()
  expect(await three.getByLabel('Environment').inputValue()).toBe('env_myproject_staging')
})

describe('twice', () => {
  it('a double click adds one function, one user, one key, and complains of nothing', async () => {
    const page = await openAdmin()
    const functions = await counting(page, 'POST', 'functions')
    await page.getByLabel('Name').fill('only-once')
    await page.getByRole('button', { name: 'Add function' }).dblclick()
    await page.getByText('only-once', { exact: true }).waitFor()

    await go(page, 'Users')
    const users = await counting(page, 'POST', 'users')
    await press(page, 'Add user')
    await page.getByLabel('Email').fill('once@example.com')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Create user' }).dblclick()
    await page.getByRole('rowheader', { name: 'once@example.com' }).waitFor()
    expect(await page.getByRole('alert').filter({ visible: true }).count()).toBe(0)

    await go(page, 'API keys')
    const keys = await counting(page, 'POST', 'api-keys')
    await press(page, 'New key')
    await page.getByLabel('Name').fill('once')
    await page.getByRole('button', { name: 'Create key' }).dblclick()
    await page.getByLabel('Key once').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(1)
    await press(page, 'Done')
    expect([functions(), users(), keys()]).toEqual([1, 1, 1])
    await page.evaluate(() => {
      for (let i = 0; i < 2; i++) document.querySelector<HTMLElement>('[aria-label="Revoke once"]')?.click()
    })
    expect(await page.getByRole('dialog').count()).toBe(1)
    await press(page, 'Revoke key')
    await page.getByText('No API keys').waitFor()
    expect(await page.getByRole('alert').filter({ visible: true }).count()).toBe(0)
  })

  it('signs in and out once', async () => {
    const page = await open()
    const logins = await counting(page, 'POST', 'auth/login')
    const logouts = await counting(page, 'POST', 'auth/logout')
    await page.getByLabel('Email').fill(ADMIN)
    await page.getByLabel('Password', { exact: true }).fill(ironflow.password)
    await page.getByRole('button', { name: 'Sign in' }).dblclick()
    await page.getByRole('heading', { name: 'Functions' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).dblclick()
    await page.getByText('You are signed out.').waitFor()
    expect([logins(), logouts()]).toEqual([1, 1])
  })

  it('a second key begins with the defaults again', async () => {
    const page = await openAdmin()
    await go(page, 'API keys')
    for (const name of ['first', 'second']) {
      await press(page, 'New key')
      const chosen = [page.getByLabel('Role'), page.getByLabel('Ends')].map((control) => control.inputValue())
      expect(await Promise.all(chosen)).toEqual(['viewer', '90'])
      await page.getByLabel('Role').selectOption('admin')
      await page.getByLabel('Ends').selectOption('365')
      await page.getByLabel('Name').fill(name)
      await press(page, 'Create key')
      await page.getByLabel(`Key ${name}`).waitFor()
      await press(page, 'Done')
      expect(await focused(page)).toBe('New key')
    }
  })
})

describe('a slip of a key', () => {
  async function withColleague(email: string): Promise<Page> {
    const page = await openAdmin()
    await go(page, 'Users')
    await press(page, 'Add user')
    expect(await page.getByRole('button', { name: 'Add user' }).getAttribute('aria-expanded')).toBe('true')
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByLabel('Role', { exact: true }).selectOption('admin')
    await press(page, 'Create user')
    await page.getByRole('rowheader', { name: email }).waitFor()
    expect(await page.getByRole('button', { name: 'Add user' }).getAttribute('aria-expanded')).toBe('false')
    return page
  }

  it('an arrow key changes nobody’s role: that takes Apply', async () => {
    const email = 'arrow@example.com'
    const page = await withColleague(email)
    const changes = await counting(page, 'PATCH', 'users/*')
    const role = page.getByLabel(`Role of ${email}`, { exact: true })
    const apply = page.getByRole('button', { name: `Apply role of ${email}` })
    expect(await apply.count()).toBe(0)
    await role.focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    expect([await role.inputValue(), changes()]).toEqual(['viewer', 0])
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page
      .getByRole('status')
      .filter({ hasText: `${email} is now viewer.` })
      .waitFor({ state: 'attached' })
    await expect.poll(() => focused(page), WAIT).toBe(`Role of ${email}`)
    expect([await role.inputValue(), changes(), await apply.count()]).toEqual(['viewer', 1, 0])
  })

  it('nobody disables, demotes or deletes themselves without being asked', async () => {
    const page = await withColleague('other-admin@example.com')
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.method()))
    await page.getByLabel(`Role of ${ADMIN}`, { exact: true }).selectOption('viewer')
    for (const [button, title] of [
      [`Apply role of ${ADMIN}`, 'Change your own role?'],
      [`Disable ${ADMIN}`, 'Disable yourself?'],
      [`Delete ${ADMIN}`, 'Delete yourself?'],
    ] as const) {
      await press(page, button)
      await page.getByRole('heading', { name: title }).waitFor()
      expect(await focused(page)).toBe('Cancel')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    expect(asked.filter((method) => method !== 'GET')).toEqual([])
  })
})

describe('the key that is shown once', () => {
  async function makeKey(page: Page, name: string): Promise<void> {
    await go(page, 'API keys')
    await press(page, 'New key')
    await page.getByLabel('Name').fill(name)
    await press(page, 'Create key')
    await page.getByLabel(`Key ${name}`).waitFor()
  }

  it('is not lost by Escape, however often, until it was copied', async () => {
    const page = await openAdmin()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await makeKey(page, 'kept')
    for (let i = 0; i < 4; i++) await page.keyboard.press('Escape')
    await page.getByText('Copy the key first, or choose Done').waitFor()
    // What a browser does where it no longer asks: close the dialog.
    await page.evaluate(() => document.querySelector('dialog')?.close())
    const shown = page.getByLabel('Key kept')
    await shown.waitFor()
    const key = await shown.inputValue()
    expect(key).toMatch(/^ifkey_/)
    await press(page, 'Copy')
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused(page)).toBe('New key')
  })

  it('goes with the session', async () => {
    const page = await openAdmin()
    await makeKey(page, 'gone')
    await page.context().clearCookies()
    await page.evaluate(() => dispatchEvent(new StorageEvent('storage', { key: null })))
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await signIn(page, ADMIN, ironflow.password)
  })

  it.each([320, 375, 1200])('is there to its last letter at %i px', async (width) => {
    const page = await openAdmin()
    await page.setViewportSize({ width: 1000, height: 740 })
    await makeKey(page, `wide-${width}`)
    await page.setViewportSize({ width, height: 740 })
    const hidden = page.getByLabel(`Key wide-${width}`).evaluate((text) => text.scrollHeight - text.clientHeight)
    expect(await hidden).toBeLessThanOrEqual(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  })
})

describe('the login page', () => {
  const closed = { status: 429, headers: { 'Retry-After': '600' }, json: { error: { code: 'rate_limit_exceeded' } } }

  async function meetTheWait(): Promise<Page> {
    const page = await open()
    await page.route('**/api/v1/auth/login', (route) => route.fulfill(closed), { times: 1 })
    await page.getByLabel('Email').fill('mallory@example.com')
    await page.getByLabel('Password', { exact: true }).fill(ironflow.password)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: '10 min 0 s' }).waitFor()
    return page
  }

  it('hands the focus to the page that comes', async () => {
    const page = await openAdmin()
    await expect.poll(() => focused(page), WAIT).toBe('Functions')
  })

  it('lets another account try while one is closed', async () => {
    const page = await meetTheWait()
    const button = page.getByRole('button', { name: 'Sign in' })
    expect(await button.getAttribute('aria-disabled')).toBe('true')
    await page.getByLabel('Email').fill(ADMIN)
    expect([await button.getAttribute('aria-disabled'), await page.getByText('Too many tries').count()]).toEqual([
      null,
      0,
    ])
    await button.click()
    await page.getByRole('heading', { name: 'Functions' }).waitFor()
  })

  it('stops counting when it leaves', async () => {
    const { page, context } = await visit(browser, ironflow.url)
    contexts.push(context)
    await page.evaluate(() => {
      const running = new Set<number>()
      Object.assign(globalThis, { running })
      const [start, stop] = [setInterval, clearInterval]
      globalThis.setInterval = ((...given: Parameters<typeof start>) => {
        const id = start(...given) as unknown as number
        running.add(id)
        return id
      }) as typeof setInterval
      globalThis.clearInterval = (id) => {
        running.delete(id as number)
        stop(id)
      }
    })
    const running = (): Promise<number> =>
      page.evaluate(() => (globalThis as never as { running: Set<number> }).running.size)
    await page.route('**/api/v1/auth/login', (route) => route.fulfill(closed), { times: 1 })
    await page.getByLabel('Email').fill('mallory@example.com')
    await page.getByLabel('Password', { exact: true }).fill('wrong wrong wrong')
    await page.keyboard.press('Enter')
    await page.getByText('Too many tries').first().waitFor()
    expect(await running()).toBe(1)
    // Another tab has signed in.
    const other = await context.newPage()
    await other.goto(ironflow.url)
    await signIn(other, ADMIN, ironflow.password)
    await page.getByRole('heading', { name: 'Functions' }).waitFor()
    await expect.poll(running, WAIT).toBe(0)
  })

  it('says by name and purpose what its fields are', async () => {
    const page = await open()
    const [email, password] = [page.getByLabel('Email'), page.getByLabel('Password')]
    const of = (name: string): Promise<(string | null)[]> =>
      Promise.all([email.getAttribute(name), password.getAttribute(name)])
    expect(await of('name')).toEqual(['email', 'password'])
    expect(await of('autocomplete')).toEqual(['username', 'current-password'])
    expect(await of('type')).toEqual(['email', 'password'])
  })
})

it('there is a choice of environments only where it means something', async () => {
  const page = await openAdmin()
  expect(await page.getByLabel('Environment').count()).toBe(1)
  for (const name of ['Users', 'API keys', 'Password']) {
    await go(page, name)
    expect(await page.getByLabel('Environment').filter({ visible: true }).count()).toBe(0)
  }
})
