/** Files of one process share the modules of helpers, so that a hook at the top of one would run for the first of them alone. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { afterFile, closeOpened } from './after-file.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

it('no helper has a hook at its top, which would be that of one file', () => {
  const helpers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/\.(test|prove)\.ts$/.test(name) && name !== 'setup.ts',
  )
  expect(helpers.length).toBeGreaterThan(50)
  const hook = /^(after|before)(All|Each)\(/m
  expect(helpers.filter((name) => hook.test(readFileSync(folder + name, 'utf8')))).toEqual([])
})

it('what is left for the end of a file is done once, and a failure of it is told', async () => {
  const done: string[] = []
  afterFile(() => done.push('one'))
  afterFile(async () => done.push('two'))
  await closeOpened()
  await closeOpened()
  expect(done).toEqual(['one', 'two'])
  afterFile(() => Promise.reject(new Error('still in use')))
  await expect(closeOpened()).rejects.toThrow('still in use')
})
