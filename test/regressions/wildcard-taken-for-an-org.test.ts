/** A wildcard of the path is a list of parts on Express 5; a list of one part was read as that part. */
import express5 from 'express'
import { expect, it } from 'vitest'
import * as forExpress from '../../adapters/express.ts'
import { createAuth } from '../../src/auth.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { integerFormat, pathParam, readSelection, slugFormat, uuidFormat } from '../../src/orgs/selector.ts'
import { createTestKit } from '../../src/testing/test-kit.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { listen } from '../support/hosts.ts'

it.each([
  [['acme'], slugFormat],
  [['acme', 'globex'], slugFormat],
  [['7'], integerFormat],
  [['6f9619ff-8b86-4d01-b42d-00cf4fc964ff'], uuidFormat],
  [7, integerFormat],
  [{ toString: () => 'acme' }, slugFormat],
])('as a path parameter %j is malformed', (org, format) => {
  const request = fakeRequest({ params: { org } as never })
  expect(readSelection(request, [pathParam('org')], format)).toEqual({ kind: 'malformed' })
})

it('on Express 5 a wildcard names no org, a parameter does', async () => {
  const { verifier, storage, signIn } = await createTestKit()
  const orgs = createOrgResolver({ memberships: storage.memberships, selectors: [], whenUnnamed: 'earliest-joined' })
  const auth = createAuth({ roles: ['owner'], verifier, users: createProvisioner({ storage }), orgs })
  const { protect } = forExpress.createAdapter(auth)
  const app = express5()
  const selectors = [pathParam('org')]
  app.get(
    '/me',
    protect({}, ({ org }, _req, res) => void res.json({ id: org.id })),
  )
  app.get(
    '/one/:org',
    protect({ selectors }, ({ org }, _req, res) => void res.json({ id: org.id })),
  )
  app.get(
    '/any/*org',
    protect({ selectors }, ({ org }, _req, res) => void res.json({ id: org.id })),
  )
  const { url, close } = await listen(app as never)
  const { headers } = await signIn({ email: 'ada@example.test' })
  const ask = (path: string): Promise<Response> => fetch(url + path, { headers })
  const { id } = (await (await ask('/me')).json()) as { id: string }
  expect([(await ask(`/one/${id}`)).status, (await ask(`/any/${id}`)).status, (await ask('/any/a/b')).status]).toEqual([
    200, 400, 400,
  ])
  await close()
})
