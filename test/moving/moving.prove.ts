// docs/coming-from-*.md: the app before, of the real package, and the app after are asked the same. They answer alike, but
// where the guide's table says so; and what the table says is so.
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareApps, type RunningApp, startApp } from './apps.ts'
import type { BoundRequest, OpenGuide, Side } from './guide.ts'
import { GUIDES } from './guides.ts'
import { alikeOf, type Difference, differencesOf, guideText } from './page.ts'

beforeAll(() => prepareApps(GUIDES.map(({ name }) => name)))

// The answer as the page has it: a status; of a success what it says, unless that is the usual; of a refusal where it is asked.
async function answerOf(app: RunningApp, side: Side, asked: BoundRequest, usual: string): Promise<string> {
  if (app.url === null) return 'does not start'
  const { query, ...init } = await asked.request({ side, url: app.url })
  const address = `${app.url}${asked.path}${query === undefined ? '' : `?${query}`}`
  const response = await fetch(address, { ...init, redirect: 'manual' })
  const text = await response.text()
  const isTold = response.ok ? text !== usual : asked.saying
  return isTold ? `${response.status} \`${text.replace(/^(<!DOCTYPE html>)[\s\S]*/i, '$1 …')}\`` : `${response.status}`
}

// Requests of one environment go to one process.
async function answersOf(name: string, side: Side, { asked, usual }: OpenGuide): Promise<string[]> {
  const apps = new Map<string, Promise<RunningApp>>()
  const answers: string[] = []
  try {
    for (const each of asked) {
      const key = JSON.stringify(each.env)
      const app = apps.get(key) ?? startApp(`${name}/${side}`, each.env)
      apps.set(key, app)
      answers.push(await answerOf(await app, side, each, usual))
    }
  } finally {
    for (const app of apps.values()) await (await app).stop()
  }
  return answers
}

// Bodies tell more only where the statuses are the same.
function shortest(before: string, after: string): Pick<Difference, 'before' | 'after'> {
  const [there = '', here = ''] = [before, after].map((answer) => answer.replace(/ `.*`$/, ''))
  return there === here ? { before, after } : { before: there, after: here }
}

describe.each(GUIDES)('from $name', ({ name, open }) => {
  let answered: Difference[]

  beforeAll(async () => {
    const guide = await open()
    const [before, after] = [await answersOf(name, 'before', guide), await answersOf(name, 'after', guide)]
    await guide.close()
    answered = guide.asked.map(({ title }, at) => ({ title, ...shortest(before[at] ?? '', after[at] ?? '') }))
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
