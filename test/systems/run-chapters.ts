/** The tour's chapters as tests: one each, in order, on real processes. */
import { expect, it } from 'vitest'
import { runStep } from '../../examples/demo/run-step.ts'
import type { Chapter } from '../../examples/demo/step.ts'
import type { World } from '../../examples/demo/world.ts'

/** Make a test of each chapter; `world` is asked when they run. */
export function runChapters(chapters: readonly Chapter[], world: () => World): void {
  for (const { title, steps } of chapters) {
    it(title, async () => {
      const wrong: unknown[] = []
      for (const step of steps) {
        const outcome = await runStep(step, world())
        if (!outcome.ok) wrong.push(outcome)
      }
      expect(wrong).toEqual([])
      expect(steps.length).toBeGreaterThan(2)
    })
  }
}
