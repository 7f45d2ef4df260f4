/** Issues sessions by the format of `verify/session-verifier`: a new one at each login, never one that came along. */
import { SignJWT } from 'jose'
import type { Account } from '../storage/account-repositories.ts'
import { importSessionKey, SESSION_TYPE, type SessionFormat } from '../verify/session-verifier.ts'

/** A session that was just issued. */
export interface IssuedSession {
  /** The session's own id, `jti`: what it is revoked by. */
  readonly id: string
  /** The bearer token. */
  readonly token: string
  readonly expiresAt: Date
}

/**
 * Create the issuer of sessions.
 *
 * @param seconds how long a session lives
 * @param clock milliseconds since 1970
 */
export function createSessionIssuer(
  { secret, service }: SessionFormat,
  seconds: number,
  clock: () => number,
): (account: Pick<Account, 'id' | 'sessionVersion'>) => Promise<IssuedSession> {
  const copy = new Uint8Array(secret)
  let key: Promise<CryptoKey> | undefined
  return async (account) => {
    const issuedAt = Math.floor(clock() / 1000)
    const expiresAt = issuedAt + seconds
    const id = newSessionId()
    key ??= importSessionKey(copy, 'sign')
    const token = await new SignJWT({ ver: account.sessionVersion })
      .setProtectedHeader({ alg: 'HS256', typ: SESSION_TYPE })
      .setIssuer(service)
      .setAudience(service)
      .setSubject(account.id)
      .setJti(id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(await key)
    return { id, token, expiresAt: new Date(expiresAt * 1000) }
  }
}

function newSessionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
