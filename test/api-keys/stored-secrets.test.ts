/** What a stolen database tells of keys: their ids and digests, no secret, in any file of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import type { AuthContext } from '../../src/context.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { ROLES } from './world.ts'

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it('holds no secret of a key that was issued, used, rotated and revoked', async () => {
    const path = createSqlitePath()
    const database = open(path)
    await migrate({ database })
    const storage = createSqliteStorage({ database })
    const apiKeys = createApiKeys({
      storage: { apiKeys: storage.apiKeys },
      prefix: 'itk',
      roles: ROLES,
      defaultPermissions: ['things:read'],
    })
    const owner = testContext({ org: await storage.orgs.insert({ name: 'Acme' }), role: 'owner' }) as AuthContext
    const { apiKey, key } = await apiKeys.issue(owner, { name: 'canary' })
    await apiKeys.verify(key)
    const { key: next } = await apiKeys.rotate(owner, apiKey.id, { overlapSeconds: 60 })
    for (const each of [key, next]) await apiKeys.verify(each)
    await apiKeys.revoke(owner, apiKey.id)
    const files = (): Buffer =>
      Buffer.concat(
        readdirSync(dirname(path))
          .filter((name) => name.startsWith(basename(path)))
          .map((name) => readFileSync(join(dirname(path), name))),
      )
    const whileOpen = files()
    database.close()
    for (const bytes of [whileOpen, files()]) {
      expect(bytes.includes(apiKey.id)).toBe(true)
      expect(bytes.includes('canary')).toBe(true)
      for (const each of [key, next]) {
        expect(bytes.includes(each)).toBe(false)
        expect(bytes.includes(createKeyFormat('test', 'itk').parse(each)?.secret ?? '')).toBe(false)
      }
    }
  })
})
