/** The demo keeps its word: the three systems and the quick starts, every line of the tour. */
import { expect, it } from 'vitest'
import { runToEnd } from './app-process.ts'

it('--exit runs the whole tour, without colours in a pipe, and ends with 0', async () => {
  const { code, stdout, stderr } = await runToEnd(['examples/demo/main.ts', '--exit'], {})
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/\n\d{3} lines, all as promised\.\n$/)
  expect(stdout).not.toContain('FAIL')
  expect(stdout).not.toContain('\x1b')
}, 200_000)
