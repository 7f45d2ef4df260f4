/** What an audited answer must name in `Vary`: every header that the mounts which let the request in read. */
import type { Access } from '../../index.ts'
import type { AuthResponse } from '../../request.ts'
import type { AuditCase } from './audit-case.ts'

/** What is mounted at a path: an Access for each of the mounts, in order. */
export interface AuditMounts {
  readonly method: string
  readonly path: string
  readonly mounts: readonly (Access | 'public')[]
}

// Refusals of what came behind mounts that had let in so many; any other refusal needs no `Vary`.
const LET_IN_BEFORE: Readonly<Record<string, number>> = {
  ...{ 'service/second': 1, 'mount/strict-in-optional': 1, 'mount/further-org': 1 },
  ...{ 'mount/path-another': 1, 'mount/path-conflict': 1, 'mount/path-strange': 1 },
  ...{ 'mount/role-in-path': 1, 'mount/role-holds': 1 },
  ...{ 'act/unknown': 1, 'act/malformed': 1, 'act/number': 1, 'act/conflict': 1, 'body/echo': 1, 'route/not-found': 1 },
}

/** Add to the answer of a case the `Vary` that it must have. */
export function withVary(one: AuditCase, all: readonly AuditMounts[]): AuditCase {
  const { id, request, expected } = one
  const isLetIn = expected.headers.some(([name]) => name === 'X-Audit')
  const mounts = all.find((each) => isAt(each, request))?.mounts ?? []
  const passed = mounts.slice(0, isLetIn ? mounts.length : (LET_IN_BEFORE[id] ?? 0))
  const names = [...new Set(passed.flatMap(namesOf))]
  const response = (answer: AuthResponse): AuthResponse =>
    names.length === 0 ? answer : { ...answer, headers: [...answer.headers, ['Vary', names.join(', ')]] }
  return Object.freeze({ ...one, expected: response(expected) })
}

function isAt({ method, path }: AuditMounts, request: AuditCase['request']): boolean {
  const [wanted, asked] = [path.split('/'), (request.path.split('?')[0] ?? '').split('/')]
  const isPath =
    wanted.length === asked.length && wanted.every((part, at) => part.startsWith(':') || part === asked[at])
  return isPath && (method === request.method || (method === 'GET' && request.method === 'HEAD'))
}

function namesOf(access: Access | 'public'): readonly string[] {
  if (access === 'public') return []
  const { accept = ['user'], needs = 'org' } = access
  const isService = accept.some((kind) => kind.startsWith('service'))
  return [
    'Authorization',
    'Cookie',
    ...(isService ? ['X-Telephony-Secret'] : []),
    ...(needs === 'org' ? ['X-Org-Id'] : []),
  ]
}
