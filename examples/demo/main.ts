/**
 * `npm run demo`: starts the systems on free ports against real local issuers and runs the contract as a printed tour.
 * `--exit` ends after the tour, with 1 if a line was not as promised; else the systems go on until Ctrl-C.
 */
import type { FirstAdminOptions } from 'sallyport/login'
import { startIntello } from '../intello/app.ts'
import { startIron } from '../iron-crm/app.ts'
import { startIronflow } from '../ironflow/app.ts'
import { startQuickstart } from '../quickstart/app.ts'
import { onceToldToEnd } from '../start/run.ts'
import type { Environment } from '../start/settings.ts'
import { runStep } from './run-step.ts'
import type { Chapter } from './step.ts'
import { createPrinter, ownScreen, type TourPrinter } from './table.ts'
import { INTELLO } from './tour-intello.ts'
import { INTELLO_KEYS } from './tour-intello-keys.ts'
import { IRON } from './tour-iron.ts'
import { IRONFLOW } from './tour-ironflow.ts'
import { QUICKSTART } from './tour-quickstart.ts'
import { STARTS } from './tour-start.ts'
import { openWorld, type StartApp, type StartedApp, SYSTEMS, type World } from './world.ts'

const startHere: StartApp = (app, environment) => {
  if (app === 'iron') return startIron(environment)
  if (app === 'ironflow' || app === 'ironflow --dev') return startIronflowHere(environment, app === 'ironflow --dev')
  return app === 'intello' ? startIntello(environment) : startQuickstart(app, environment)
}

// What it would print becomes a note: the demo says it at its end.
async function startIronflowHere(environment: Environment, dev: boolean): Promise<StartedApp> {
  const notes: string[] = []
  const announce = ({ email, password }: Admin): unknown => notes.push(`${email}, password: ${password}`)
  return { ...(await startIronflow(environment, { dev, announce })), notes }
}

type Admin = Parameters<FirstAdminOptions['announce']>[0]

const unknown = process.argv.slice(2).filter((argument) => argument !== '--exit')
if (unknown.length > 0) {
  console.error(`demo: unknown argument ${unknown.join(' ')}; there is only --exit`)
  process.exit(1)
}
// The tour is refused on purpose: nobody has to be told how to learn why.
process.env['NODE_ENV'] ??= 'test'
const printer = createPrinter(ownScreen())
// What is said of a fault that the tour makes on purpose stands where it was made.
console.error = (line: unknown) => printer.note(String(line))
let started = 0
const world = await openWorld(SYSTEMS, startHere, {
  onStarted(system) {
    started += 1
    printer.progress(`started ${system} (${started} of ${Object.keys(SYSTEMS).length})`)
  },
})
const wrong = await tour(world, printer, [...QUICKSTART, ...IRON, ...INTELLO, ...INTELLO_KEYS, ...IRONFLOW, ...STARTS])
if (process.argv.includes('--exit')) await leave()
else {
  await invite()
  onceToldToEnd(leave)
}

async function tour(where: World, { title, progress, outcome, summary }: TourPrinter, chapters: readonly Chapter[]) {
  let count = 0
  let failed = 0
  for (const chapter of chapters) {
    title(chapter.title)
    for (const step of chapter.steps) {
      progress('send' in step ? step.send : step.does)
      const result = await runStep(step, where)
      outcome(result)
      count += 1
      if (!result.ok) failed += 1
    }
  }
  summary(
    failed === 0 ? `${count} lines, all as promised.` : `${failed} of ${count} lines are not as promised.`,
    failed === 0,
  )
  return failed
}

async function invite(): Promise<void> {
  for (const system of ['express', 'koa', 'hono', 'iron', 'intello']) {
    console.log(`\n${system}: ${world.urlOf(system)}\n${await world.token(system, 'ada')}`)
  }
  const ending = `Ctrl-C or \`kill ${process.pid}\``
  console.log(`\nEverything is yours until ${ending}; \`npm run demo -- --exit\` ends after the tour. For example:\n`)
  console.log(`curl -i ${world.urlOf('iron')}/api/v1/me -H 'Authorization: Bearer ${await world.token('iron', 'ada')}'`)
  console.log(`\nThe dashboard: ${world.urlOf('ironflow')}`)
  console.log(`admin@ironflow.local, password: ${world.kept.get('ironflow.password')}`)
}

async function leave(): Promise<void> {
  await world.close()
  process.exit(wrong === 0 ? 0 : 1)
}
