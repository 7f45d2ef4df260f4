/** Every way to write a published key down, in case somebody takes it for an HMAC secret (T1, RFC 8725 §2.1). */
import { createHash } from 'node:crypto'
import type { IssuerKey } from '../../src/testing/token-issuer.ts'

const der = ({ publicKey }: IssuerKey): Buffer => publicKey.export({ type: 'spki', format: 'der' })
const pem = ({ publicKey }: IssuerKey): string => publicKey.export({ type: 'spki', format: 'pem' }).toString()
const coordinate = ({ publicJwk: { x, n } }: IssuerKey): string => x ?? n ?? ''

/** The forms, by the name a case calls them. */
export const PUBLIC_FORMS: Readonly<Record<string, (key: IssuerKey) => string | Buffer>> = {
  pem,
  'pem-trimmed': (key) => pem(key).trim(),
  'pem-crlf': (key) => pem(key).replaceAll('\n', '\r\n'),
  'pem-one-line': (key) => pem(key).replaceAll('\n', ''),
  'pem-behind-space': (key) => ` ${pem(key)}`,
  'pem-body': (key) => der(key).toString('base64'),
  der,
  'der-base64url': (key) => der(key).toString('base64url'),
  'der-hex': (key) => der(key).toString('hex'),
  jwk: ({ publicJwk }) => JSON.stringify(publicJwk),
  'jwk-indented': ({ publicJwk }) => JSON.stringify(publicJwk, null, 2),
  jwks: ({ publicJwk }) => JSON.stringify({ keys: [publicJwk] }),
  x: coordinate,
  'x-bytes': (key) => Buffer.from(coordinate(key), 'base64url'),
  kid: ({ kid }) => kid,
  'kid-digest': ({ kid }) => createHash('sha256').update(kid).digest(),
}
