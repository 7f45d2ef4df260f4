/** The answers that audit cases expect, in the words of the world they are asked in. */
import { AuthError, type AuthErrorCode, type AuthErrorDetails, type AuthResponse } from '../../index.ts'
import type { AuditRequest } from './audit-case.ts'
import type { AuditWorld } from './audit-world.ts'
import { handled } from './endpoints.ts'

/** The answers of one world. */
export interface Answers {
  /** No credential: the challenge is `Bearer` alone. */
  readonly absent: AuthResponse
  /** A credential that does not verify. */
  readonly invalid: AuthResponse
  /** Another refusal, with further headers where a handler had been let in. */
  refused(code: AuthErrorCode, details?: AuthErrorDetails, headers?: AuthResponse['headers']): AuthResponse
  /** `ada`, acting in her earliest org. */
  readonly ada: AuthResponse
  /** A user, acting in an org. */
  acting(user: keyof AuditWorld['users'], org: keyof AuditWorld['orgs'], role: string): AuthResponse
}

/** The answers of `world`. */
export function answersOf({ auth, orgs, users }: AuditWorld): Answers {
  const refused: Answers['refused'] = (code, details, more = []) => {
    const { status, headers, body } = auth.toResponse(new AuthError(code, { ...details, reason: 'audit' }))
    return { status, headers: [...headers, ...more], body }
  }
  const acting: Answers['acting'] = (user, org, role) =>
    handled({ caller: 'user', user: users[user], org: orgs[org], role }, [['X-Org-Id', orgs[org]]])
  return {
    absent: refused('unauthorized', { absent: true }),
    invalid: refused('unauthorized'),
    refused,
    ada: acting('ada', 'a', 'member'),
    acting,
  }
}

/** A header line. */
export type Line = AuditRequest['headers'][number]

/** An `Authorization: Bearer` line. */
export const bearer = (token: string): Line => ['Authorization', `Bearer ${token}`]
/** An `X-Org-Id` line. */
export const orgLine = (value: string): Line => ['X-Org-Id', value]
/** A `Cookie` line with the session. */
export const session = (token: string): Line => ['Cookie', `session=${token}`]
