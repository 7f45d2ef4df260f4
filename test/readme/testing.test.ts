/** docs/testing.md: its own tests, run here as they stand there. In the other runners: `test/recipes/runners.prove.ts`. */
import { afterAll, describe } from 'vitest'
import { openSnippets } from './snippets.ts'

const { load, remove } = openSnippets()
afterAll(remove)

describe.each(['handlers.test.ts', 'callers.test.ts', 'removed.test.ts', 'outage.test.ts'])('%s', async (name) => {
  await load(name)
})
