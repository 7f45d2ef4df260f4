/** The dashboard in a real browser against a real process: opened, watched, restarted on the same port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page, Request } from 'playwright-core'
import { freePort } from '../free-port.ts'
import { PATIENCE_MS } from '../patience.ts'
import { type AppProcess, startProcess } from '../systems/app-process.ts'

const MAIN = ['examples/ironflow/main.ts']

/** An Ironflow with its data folder. */
export interface Ironflow {
  readonly url: string
  readonly folder: string
  readonly password: string
  /** End the process, do something meanwhile, start another one in its place. */
  restart(meanwhile?: () => void): Promise<void>
  close(): Promise<void>
}

/** Start one in a folder of its own. */
export async function startIronflow(
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<Ironflow> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ironflow-'))
  const PORT = String(await freePort())
  const start = (): Promise<AppProcess> =>
    startProcess([...MAIN, ...flags], { PORT, IRONFLOW_DATA_DIR: folder, ...environment })
  let app = await start()
  const { url } = app
  return {
    url,
    folder,
    password: /password: (\S+)$/m.exec(app.stdout())?.[1] ?? '',
    async restart(meanwhile = () => {}) {
      await app.stop()
      meanwhile()
      app = await start()
    },
    async close() {
      await app.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A page that is watched. */
export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Whatever went wrong on the page: errors in the console, exceptions, violations of its policy. */
  readonly errors: string[]
  /** The statuses of answers the browser complains of by itself, as it does of any 4xx. */
  readonly refusals: number[]
  /** What was asked of the API, in order. */
  readonly asked: Request[]
  /** The API's requests so far as `GET /api/v1/…`, and forget them. */
  takeAsked(): string[]
}

/** Open a page that remembers nothing of others. */
export async function visit(browser: Browser, url: string, scheme: 'light' | 'dark' = 'light'): Promise<Visit> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1200, height: 760 } })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const [errors, refusals, asked]: [string[], number[], Request[]] = [[], [], []]
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    const [, status] = /^Failed to load resource: .* status of (4\d\d)/.exec(message.text()) ?? []
    if (status !== undefined) refusals.push(Number(status))
    else if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  page.on('request', (request) => void (request.url().includes('/api/') && asked.push(request)))
  await page.goto(url)
  const takeAsked = (): string[] =>
    asked.splice(0).map((request) => `${request.method()} ${new URL(request.url()).pathname}`)
  return { context, page, errors, refusals, asked, takeAsked }
}

/** Fill in the login page and wait for the functions. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Functions' }).waitFor()
}

/** What the page keeps under this name. */
export function stored(page: Page, name: string): Promise<string | null> {
  return page.evaluate((key) => localStorage.getItem(key), name)
}

/** Where the focus is: the control's accessible name, as far as labels and texts give it. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null
    const label = element?.labels?.[0]?.textContent
    return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? ''
  })
}
