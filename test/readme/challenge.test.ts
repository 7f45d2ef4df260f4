/** docs/challenge.md: its snippet answers as the page says. */
import { readFileSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import type { Auth, Route } from '../../src/index.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { refusalOf } from '../pipeline/world.ts'
import { openSnippets } from './snippets.ts'

const { load, remove } = openSnippets()
afterAll(remove)

it('answers as the page says, at the place that the challenge names', async () => {
  const { auth, metadata } = await load<{ auth: Auth; metadata: Route & { url: string } }>('challenge.ts')
  const refusal = await refusalOf(auth.authenticate(fakeRequest(), { permissions: ['notes:read'] } as never))
  const { status, headers } = auth.toResponse(refusal)
  const [, challenge] = headers.find(([name]) => name === 'WWW-Authenticate') ?? []
  const page = readFileSync(new URL('../../docs/challenge.md', import.meta.url), 'utf8')
  expect(page).toContain(`HTTP/1.1 ${status} Unauthorized\nWWW-Authenticate: ${challenge}\n`)
  expect(challenge).toContain(`resource_metadata="${metadata.url}"`)
  expect(new URL(metadata.url).pathname).toBe(metadata.path)
})
