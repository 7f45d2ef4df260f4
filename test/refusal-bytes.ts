/**
 * What a client sees of each refusal, written out: status, header lines and body, byte for byte. Kept apart from the
 * library's own table on purpose, so that a slip there is a difference here.
 */
import type { AuthErrorCode } from '../src/errors.ts'

export interface Bytes {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

interface Row {
  readonly status: number
  readonly challenge?: string
  readonly body: string
}

const INVALID = 'Bearer error="invalid_token"'

export const ROWS: Readonly<Record<AuthErrorCode, Row>> = {
  unauthorized: {
    status: 401,
    challenge: INVALID,
    body: '{"error":{"code":"unauthorized","message":"A valid credential is required."}}',
  },
  token_expired: {
    status: 401,
    challenge: `${INVALID}, error_description="The access token expired"`,
    body: '{"error":{"code":"token_expired","message":"The access token expired."}}',
  },
  bad_request: {
    status: 400,
    challenge: 'Bearer error="invalid_request"',
    body: '{"error":{"code":"bad_request","message":"The credentials of the request are malformed or ambiguous."}}',
  },
  invalid_org_id: {
    status: 400,
    body: '{"error":{"code":"invalid_org_id","message":"The organization id is malformed."}}',
  },
  org_selector_conflict: {
    status: 400,
    body: '{"error":{"code":"org_selector_conflict","message":"The request names two different organizations."}}',
  },
  org_required: {
    status: 400,
    body: '{"error":{"code":"org_required","message":"The request must name an organization."}}',
  },
  validation_error: {
    status: 400,
    body: '{"error":{"code":"validation_error","message":"The request body is not valid."}}',
  },
  forbidden: { status: 403, body: '{"error":{"code":"forbidden","message":"The caller may not do this."}}' },
  insufficient_scope: {
    status: 403,
    challenge: 'Bearer error="insufficient_scope"',
    body: '{"error":{"code":"insufficient_scope","message":"The API key lacks the required scope."}}',
  },
  not_found: { status: 404, body: '{"error":{"code":"not_found","message":"There is no such resource."}}' },
  conflict: {
    status: 409,
    body: '{"error":{"code":"conflict","message":"The change conflicts with what is there."}}',
  },
  payload_too_large: {
    status: 413,
    body: '{"error":{"code":"payload_too_large","message":"The request body is too large."}}',
  },
  request_timeout: {
    status: 408,
    body: '{"error":{"code":"request_timeout","message":"The request body did not arrive in time."}}',
  },
  unsupported_media_type: {
    status: 415,
    body: '{"error":{"code":"unsupported_media_type","message":"The request body must be application/json."}}',
  },
  user_not_synced: {
    status: 428,
    body: '{"error":{"code":"user_not_synced","message":"user account not synced, call POST /auth/sync first"}}',
  },
  rate_limit_exceeded: {
    status: 429,
    body: '{"error":{"code":"rate_limit_exceeded","message":"Too many attempts, try again later."}}',
  },
  temporarily_unavailable: {
    status: 503,
    body: '{"error":{"code":"temporarily_unavailable","message":"The service is busy, try again shortly."}}',
  },
  keys_unavailable: {
    status: 503,
    body: '{"error":{"code":"keys_unavailable","message":"The keys to verify the credential are unavailable, try again shortly."}}',
  },
}

/** The exact answer for a code; `wire` fills in what its row leaves open. */
export function bytesOf(
  code: AuthErrorCode,
  wire: { readonly challenge?: string; readonly retryAfter?: string; readonly field?: string } = {},
): Bytes {
  const { status, body, ...row } = ROWS[code]
  const challenge = wire.challenge ?? row.challenge
  const retryAfter = wire.retryAfter ?? (status === 429 || status === 503 ? '1' : undefined)
  return {
    status,
    headers: [
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ...(challenge === undefined ? [] : ([['WWW-Authenticate', challenge]] as const)),
      ...(retryAfter === undefined ? [] : ([['Retry-After', retryAfter]] as const)),
    ],
    body: wire.field === undefined ? body : body.replace('"}}', `","field":"${wire.field}"}}`),
  }
}
