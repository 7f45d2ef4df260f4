/**
 * The memory of a Supabase-shaped issuer: its users, their sessions, refresh tokens that each work once. Hands on
 * users and grants; knows no HTTP.
 */
import { randomBytes, randomUUID } from 'node:crypto'

/** A user to begin with. */
export interface SupabaseUserOptions {
  readonly email: string
  readonly password: string
  /** Default: a random UUID. */
  readonly id?: string | undefined
  readonly phone?: string | undefined
  readonly appMetadata?: Readonly<Record<string, unknown>> | undefined
  readonly userMetadata?: Readonly<Record<string, unknown>> | undefined
  /** Default `true`; an unconfirmed user can't sign in. */
  readonly confirmed?: boolean | undefined
}

/** A user of the issuer. */
export interface SupabaseUser {
  readonly email: string
  readonly password: string
  readonly id: string
  readonly phone: string
  readonly appMetadata: Readonly<Record<string, unknown>>
  readonly userMetadata: Readonly<Record<string, unknown>>
  readonly confirmed: boolean
  readonly createdAt: Date
}

/** A session with the refresh token that is good for it now. */
export interface SupabaseGrant {
  readonly user: SupabaseUser
  readonly sessionId: string
  readonly refreshToken: string
}

/** Why a refresh token is refused. */
type RefreshRefusal = 'not_found' | 'already_used'

/** The users and sessions of an issuer. */
export interface SupabaseAccounts {
  add(options: SupabaseUserOptions): SupabaseUser
  remove(id: string): void
  find(id: string): SupabaseUser | null
  byPassword(email: string, password: string): SupabaseUser | null
  begin(user: SupabaseUser): SupabaseGrant
  /** Trade a refresh token for the next one. One that was used before ends its whole session. */
  refresh(token: string): SupabaseGrant | RefreshRefusal
  hasSession(sessionId: string): boolean
  signOut(userId: string): void
}

interface Session {
  readonly userId: string
  readonly used: Set<string>
  current: string
}

/** Keep users and sessions in memory. */
export function createSupabaseAccounts(initial: readonly SupabaseUserOptions[], clock: () => number): SupabaseAccounts {
  const users = new Map<string, SupabaseUser>()
  const sessions = new Map<string, Session>()
  const add = (options: SupabaseUserOptions): SupabaseUser => {
    const { id = randomUUID(), phone = '', appMetadata = {}, userMetadata = {}, confirmed = true } = options
    const more = { id, phone, appMetadata, userMetadata, confirmed, createdAt: new Date(clock()) }
    const user = Object.freeze({ ...options, ...more })
    users.set(user.id, user)
    return user
  }
  const signOut = (userId: string): void => {
    for (const [id, session] of sessions) if (session.userId === userId) sessions.delete(id)
  }
  initial.forEach(add)
  return {
    add,
    signOut,
    remove(id) {
      users.delete(id)
      signOut(id)
    },
    find: (id) => users.get(id) ?? null,
    byPassword: (email, password) =>
      [...users.values()].find(
        (user) => user.email.toLowerCase() === email.toLowerCase() && user.password === password,
      ) ?? null,
    begin(user) {
      const sessionId = randomUUID()
      const refreshToken = newRefreshToken()
      sessions.set(sessionId, { userId: user.id, used: new Set(), current: refreshToken })
      return { user, sessionId, refreshToken }
    },
    refresh: (token) => refresh(users, sessions, token),
    hasSession: (sessionId) => sessions.has(sessionId),
  }
}

function newRefreshToken(): string {
  return randomBytes(9).toString('base64url')
}

function refresh(
  users: ReadonlyMap<string, SupabaseUser>,
  sessions: Map<string, Session>,
  token: string,
): SupabaseGrant | RefreshRefusal {
  for (const [sessionId, session] of sessions) {
    if (session.used.has(token)) {
      sessions.delete(sessionId)
      return 'already_used'
    }
    const user = users.get(session.userId)
    if (session.current === token && user !== undefined) {
      session.used.add(token)
      session.current = newRefreshToken()
      return { user, sessionId, refreshToken: session.current }
    }
  }
  return 'not_found'
}
