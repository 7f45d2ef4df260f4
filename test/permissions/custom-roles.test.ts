import { describe, expect, it } from 'vitest'
import { type CustomRoles, toKnownRoles } from '../../src/permissions/custom-roles.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { isTransientError } from '../../src/storage/storage-errors.ts'

const roles = createRoles({ member: ['things:read', 'things:write'] }, { permissions: ['reports:read'] })
const answering = (answer: unknown): CustomRoles => ({ find: async () => answer as never })

describe('roles made at run time', () => {
  it('are asked for what is no role of the host, with the organization', async () => {
    const asked: string[] = []
    const known = toKnownRoles(roles, {
      async find(orgId, role) {
        asked.push(`${orgId} ${role}`)
        return ['things:read']
      },
    })
    expect(await known.find('o1', 'member')).toEqual(['things:read', 'things:write'])
    expect(asked).toEqual([])
    expect(await known.find('o1', 'field-agent')).toEqual(['things:read'])
    expect(asked).toEqual(['o1 field-agent'])
  })

  it('are none where the host has none', async () => {
    expect(await toKnownRoles(roles, undefined).find('o1', 'field-agent')).toBeNull()
    expect(await toKnownRoles(roles, undefined).find('o1', 'constructor')).toBeNull()
    expect(await toKnownRoles(roles, answering(null)).find('o1', 'field-agent')).toBeNull()
  })

  it.each(['\0', 'field\0agent', '\ud800', 'agent\udc00'])(
    'are not asked for what no database holds: %j',
    async (role) => {
      const asking: CustomRoles = { find: () => Promise.reject(new Error('invalid byte sequence')) }
      expect(await toKnownRoles(roles, asking).find('o1', role)).toBeNull()
      expect(await toKnownRoles(roles, answering(['things:read'])).find('o1', 'agent\u{1f600}')).toEqual([
        'things:read',
      ])
    },
  )

  it('are never wider than the permissions there are: each once, sorted, frozen', async () => {
    const wide = ['things:write', 'reports:read', 'things:read', 'things:read', 'users:write', 'member', '*', 7, null]
    const found = await toKnownRoles(roles, answering(wide)).find('o1', 'field-agent')
    expect(found).toEqual(['reports:read', 'things:read', 'things:write'])
    expect(Object.isFrozen(found)).toBe(true)
  })

  it.each([undefined, 'things:read', true, { 0: 'things:read' }, new Set(['things:read'])])(
    'that are no list are the host’s fault: %j',
    async (answer) => {
      const find = async (): Promise<unknown> => toKnownRoles(roles, answering(answer)).find('o1', 'field-agent')
      await expect(find()).rejects.toThrow('customRoles.find must answer a list of permissions, or null')
    },
  )

  it('that can’t be asked just now pass for that', async () => {
    const away = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    const known = toKnownRoles(roles, { find: () => Promise.reject(away) })
    const thrown = await Promise.resolve(known.find('o1', 'field-agent')).catch((error: unknown) => error)
    expect(isTransientError(thrown)).toBe(true)
  })
})
