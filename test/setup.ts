/** In each worker, around the tests of each file: titles are kept, reports of failures name no secret, whatever helpers opened is closed. */
import { afterAll, afterEach, beforeEach, vi } from 'vitest'
import { closeOpened } from './after-file.ts'
import { keepTitle } from './keep-leavings.ts'
import { redact } from './redact-failures.ts'

beforeEach(({ task }) => keepTitle(task.fullTestName))
afterEach(({ task }) => {
  for (const error of task.result?.errors ?? []) redact(error as unknown as Record<string, unknown>)
})
afterAll(async () => {
  vi.useRealTimers()
  await closeOpened()
})
