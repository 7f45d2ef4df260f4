/** What is said of the reasons of local login, and faults: data. */
import type { ReasonSections } from './reason-text.ts'

export const LOGIN_REASONS: ReasonSections = {
  'Local login: sessions': {
    session_algorithm_other: {
      headline: 'the token is not signed as sessions are',
      expected: 'HS256',
      got: 'the algorithm',
      try: { client: 'log in again: this is an old session, or a token of somebody else' },
    },
    session_issuer_other: {
      headline: 'the session is of another service',
      says: 'the session is of "{got}", this is "{expected}"',
      expected: 'the service',
      got: 'the `iss`, or of what type it is',
      try: { client: 'log in again', host: 'look at `service`: was it renamed?' },
    },
    session_signature_invalid: {
      headline: 'the session is not signed by this secret',
      try: { client: 'log in again', host: 'look at the secret: it changed, or differs between processes' },
    },
    session_claims_malformed: {
      headline: 'the session has no id or no version',
      try: { client: 'log in again' },
    },
    session_superseded: {
      headline: 'the password, the role or the account’s state has changed since',
      more: '`principal` of the record names it.',
      try: { client: 'log in again' },
    },
    session_revoked: {
      headline: 'the session was logged out',
      more: '`principal` of the record names the account.',
      try: { client: 'log in again' },
    },
    account_missing: {
      headline: 'the account is deleted',
      try: { nobody: 'nothing is to be done' },
    },
    account_disabled: {
      headline: 'the account is disabled',
      more: '`principal` of the record names it.',
      try: { host: 'enable it, if that is right' },
    },
  },
  'Local login: passwords': {
    login_refused: {
      headline: 'no such account, a disabled one, or a wrong password: the answer does not tell, and neither does this',
      try: { client: 'look at the address and the password' },
    },
    current_password_wrong: {
      headline: 'the present password does not match',
      try: { client: 'type the present password again' },
    },
    password_changed_meanwhile: {
      headline: 'somebody else changed the password at the same time',
      try: { client: 'try again' },
    },
    password_length: {
      headline: 'the new password is too short or too long, or no text',
      expected: 'the lengths',
      try: { client: 'choose a password of another length' },
    },
    password_common: {
      headline: 'the new password is on the list of common ones',
      try: { client: 'choose another password' },
    },
    password_near_context: {
      headline: 'the new password is close to the service’s name or the e-mail address',
      try: { client: 'choose another password' },
    },
    password_queue_full: {
      headline: 'too many passwords wait to be hashed',
      try: { wait: 'it passes by itself', host: 'look for an attack, else raise `maxConcurrent`' },
    },
    password_queue_slow: {
      headline: 'a password waited too long for its turn',
      try: { wait: 'it passes by itself', host: 'look for an attack, else raise `maxConcurrent`' },
    },
    login_account_throttled: {
      headline: 'too many failures for this account',
      try: { client: 'wait', host: 'look at `throttle`' },
    },
    login_address_throttled: {
      headline: 'too many failures from this address',
      try: { client: 'wait', host: 'write `clientAddress` behind a proxy' },
    },
    login_network_throttled: {
      headline: 'too many failures from this network',
      try: { client: 'wait', host: 'write `clientAddress` behind a proxy' },
    },
  },
  'Local login: accounts and dev mode': {
    account_email_taken: {
      headline: 'there is an account of this e-mail address',
      try: { client: 'choose another address' },
    },
    account_not_found: {
      headline: 'there is no such account',
      try: { client: 'look at the id' },
    },
    account_last_admin: {
      headline: 'the last admin would go',
      try: { client: 'make another admin first' },
    },
    account_above_its_admin: {
      headline: 'the account has, or is to get, a role that the admin’s own does not include',
      expected: 'at most the admin’s',
      got: 'the other role',
      try: { client: 'ask somebody whose role includes it' },
    },
    dev_peer_not_loopback: {
      headline: 'in dev mode, the request comes from another machine',
      try: { host: 'take `createLogin` for requests from elsewhere' },
    },
    dev_request_forwarded: {
      headline: 'in dev mode, a proxy stands in front',
      got: 'the header that says so',
      try: { host: 'take the proxy away, or `createLogin`' },
    },
    dev_host_not_loopback: {
      headline: 'in dev mode, the request names another host than this machine',
      try: { client: 'ask `localhost`' },
    },
  },
  'Not the visitor’s fault': {
    storage_unavailable: {
      headline: 'the storage can’t be reached, or asks to be tried again',
      more: '`cause` is what it threw.',
      try: { wait: 'it passes by itself', host: 'look at the storage and its network' },
    },
    internal_error: {
      headline: 'something was thrown that is no refusal, by the host, its storage or the library',
      more: '`cause` is that.',
      try: { host: 'look at what was thrown: frameworks print it, and `cause` of the record is it' },
    },
  },
}
