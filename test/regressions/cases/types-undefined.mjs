/**
 * Options that may be left out take `undefined` as well, as the parser does at run time: a host that compiles with
 * `exactOptionalPropertyTypes` hands in what a variable may not hold. Compiled by the project's own TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { project, verdict } from './lib.mjs'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-case-types-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'node_modules'))
symlinkSync(project, join(folder, 'node_modules/sallyport'))
symlinkSync(join(project, 'node_modules/@types'), join(folder, 'node_modules/@types'))
writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
writeFileSync(
  join(folder, 'host.ts'),
  `import { createProvisioner, createSyncGate, type Access, AuthError } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { createPostgresStorage, migrate } from 'sallyport/postgres'
declare const text: string | undefined
declare const count: number | undefined
declare const pool: Parameters<typeof createPostgresStorage>[0]['pool']
const storage = createMemoryStorage()
createProvisioner({ storage, ownerRole: text })
createSyncGate({ users: storage.users, syncPath: text })
createPostgresStorage({ pool, schema: text })
void migrate({ pool, schema: text })
export const access: Access<'owner'> = { role: text as 'owner' | undefined }
export const error = new AuthError('rate_limit_exceeded', { retryAfterSeconds: count })
`,
)
const options = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--skipLibCheck',
  '--target',
  'es2022',
  '--module',
  'nodenext',
  '--types',
  'node',
  'host.ts',
]
const { stdout } = spawnSync(process.execPath, [join(project, 'node_modules/typescript/bin/tsc'), ...options], {
  cwd: folder,
  encoding: 'utf8',
})
const errors = stdout.split('\n').filter((line) => /error TS/.test(line))
verdict(errors.length === 0, ...errors.map((line) => line.slice(0, 160)))
