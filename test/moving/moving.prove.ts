// docs/coming-from-*.md: the app before, of the real package, and the app after are asked the same. They answer alike, but
// where the guide's table says so; and what the table says is so.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JwksServer } from '../../src/testing/index.ts'
import { prepareApps, type RunningApp, type Side, startApp } from './apps.ts'
import { createWorld, GUIDES } from './guides.ts'
import { alikeOf, type Difference, differencesOf, guideText } from './page.ts'
import type { Asked, World } from './requests.ts'

let world: World
let server: JwksServer

beforeAll(async () => {
  await prepareApps(GUIDES.map(({ name }) => name))
  ;({ world, server } = await createWorld())
})
afterAll(() => server.close())

// The answer as the page has it: a status, and what a status of success says beside the usual.
async function answerOf(app: RunningApp, asked: Asked): Promise<string> {
  if (app.url === null) return 'does not start'
  const { query, ...init } = await asked.request(world)
  const response = await fetch(`${app.url}${asked.path}${query === undefined ? '' : `?${query}`}`, {
    ...init,
    redirect: 'manual',
  })
  const text = await response.text()
  return response.ok && text !== '{"subject":"ada"}' ? `${response.status} \`${text}\`` : `${response.status}`
}

// Bodies tell more only where the statuses are the same.
function shortest(before: string, after: string): Pick<Difference, 'before' | 'after'> {
  const [there = '', here = ''] = [before, after].map((answer) => answer.replace(/ `.*`$/, ''))
  return there === here ? { before, after } : { before: there, after: here }
}

// Requests of one environment go to one process.
async function answersOf(name: string, side: Side, asked: readonly Asked[]): Promise<string[]> {
  const apps = new Map<string, Promise<RunningApp>>()
  const answers: string[] = []
  try {
    for (const each of asked) {
      const env = { ...world.env, ...each.env }
      const key = JSON.stringify(env)
      const app = apps.get(key) ?? startApp(name, side, env)
      apps.set(key, app)
      answers.push(await answerOf(await app, each))
    }
  } finally {
    for (const app of apps.values()) await (await app).stop()
  }
  return answers
}

describe.each(GUIDES)('from $name', ({ name, asked }) => {
  let answered: Difference[]

  beforeAll(async () => {
    const [before, after] = [await answersOf(name, 'before', asked), await answersOf(name, 'after', asked)]
    answered = asked.map(({ title, path }, at) => ({
      title: path === '/api/me' ? title : `\`${path}\`: ${title}`,
      ...shortest(before[at] ?? '', after[at] ?? ''),
    }))
  })

  it('both answer differently what the guide says, and nothing else', () => {
    const differ = answered.filter(({ before, after }) => before !== after)
    const byTitle = (one: Difference, other: Difference): number => one.title.localeCompare(other.title)
    expect(differencesOf(guideText(name)).sort(byTitle)).toEqual(differ.sort(byTitle))
  })

  it('both answer alike what the guide says', () => {
    const alike = answered.filter(({ before, after }) => before === after)
    const answers = [...new Set(alike.map(({ after }) => after))].sort()
    const lines = answers.map((answer) => {
      const titles = alike.filter(({ after }) => after === answer).map(({ title }) => title)
      return `- ${answer}: ${titles.join('; ')}.\n`
    })
    expect(alikeOf(guideText(name))).toBe(lines.join(''))
  })
})
