/** What is said of the reasons of what a request brings: data. */
import type { ReasonSections } from './reason-text.ts'

export const REQUEST_REASONS: ReasonSections = {
  'What the request brought': {
    header_lines_dropped: {
      headline: 'there were more header lines than Node keeps, so a second credential may be among those it dropped',
      try: { client: 'send fewer headers', host: 'raise `maxHeadersCount` of the server' },
    },
    credential_missing: {
      headline: 'the route needs a credential, and the request has none in any place where one is looked for',
      says: 'looked for {expected}, came {got}',
      expected: 'the places that are looked at',
      got: 'the scheme of `Authorization`, if it is a known one; or that it is empty',
      try: {
        client:
          'send `Authorization: Bearer <token>`; another scheme than Bearer is none, and beside any `Authorization` the cookie is not read',
      },
    },
    credential_ambiguous: {
      headline: 'two credentials came along, and none is preferred',
      says: 'two credentials came along: {got}',
      expected: '1 credential',
      got: 'the kinds, of services the headers',
      try: { client: 'send one credential alone' },
    },
    authorization_repeated: {
      headline: 'there is more than one `Authorization` line',
      expected: '1 line',
      got: 'how many',
      try: { client: 'send one `Authorization` line', host: 'look for a proxy that adds one' },
    },
    bearer_token_missing: {
      headline: 'the scheme is Bearer, and no token follows',
      try: { client: 'look where the token is read: it sends an empty variable, most often' },
    },
    bearer_token_malformed: {
      headline: 'there is white space or a comma in the token',
      says: 'there is {got} in the token',
      got: 'what does not belong there',
      try: { client: 'send the token alone: no quotes, line breaks or second token in the header' },
    },
    bearer_token_too_long: {
      headline: 'the token is over the limit for any credential',
      expected: 'the limit',
      try: { client: 'send an access token', issuer: 'leave out claims, the tokens hold too much' },
    },
    cookie_ambiguous: {
      headline: 'the session cookie came twice with different values, as when a sibling domain sets it, too',
      expected: '1 value',
      got: 'how many',
      try: { host: 'name the cookie with `__Host-`' },
    },
    cookie_too_long: {
      headline: 'the session cookie is over the limit',
      expected: 'the limit',
      got: 'its length',
      try: { client: 'delete the cookie and sign in again' },
    },
    gateway_header_malformed: {
      headline: 'the header of the gateway came twice, or holds something else than one token',
      expected: 'its form',
      got: 'how many lines',
      try: { host: 'have the gateway drop what a client sends under this name' },
    },
    gateway_token_too_long: {
      headline: 'the token of the gateway is over the limit',
      expected: 'the limit',
      try: { host: 'have the gateway put less into its tokens' },
    },
    service_header_repeated: {
      headline: 'the header of a service came twice, or has a comma in it, which is how proxies join two',
      expected: '1 line of the header',
      got: 'how many',
      try: { client: 'send the header once' },
    },
    service_secret_too_long: {
      headline: 'the header of a service is over the limit',
      expected: 'the limit',
      try: { client: 'send the secret alone' },
    },
    cross_site_request: {
      headline: 'a browser does not say that this unsafe request comes from our own pages',
      more: 'It relies on the session cookie, or on what a gateway makes of one.',
      says: 'the browser says {got}, needed is {expected}',
      expected: 'what either header must say',
      got: 'what it says',
      try: {
        host: 'behind a proxy set `publicUrl`: of `cookie`, of `createLogin`, or of `gateway`',
        client: 'send a bearer token instead of the cookie',
      },
    },
  },
  'API keys and services as callers': {
    api_key_malformed: {
      headline: 'the API key has the prefix, and not the form or not the checksum: it was cut or mistyped',
      try: { client: 'send the whole key' },
    },
    api_key_unknown: {
      headline: 'there is no such API key',
      try: { client: 'take a key of this environment' },
    },
    api_key_wrong: {
      headline:
        'there is an API key of this id, with another secret: it was rotated, and the time for the old one is over',
      try: { client: 'send the new key' },
    },
    api_key_revoked: {
      headline: 'the API key was revoked',
      more: '`principal` of the record names it.',
      try: { client: 'take another key' },
    },
    api_key_expired: {
      headline: 'the API key has expired',
      more: '`principal` of the record names it.',
      expected: 'later than now',
      got: 'when it ended',
      try: { client: 'take another key' },
    },
    api_key_check_refused: {
      headline: '`check` of `createApiKeys` said `false`',
      more: '`principal` of the record names the key.',
      try: { host: 'look at your own rule, `check` of `createApiKeys`' },
    },
    service_secret_wrong: {
      headline: 'no service of this header has this secret',
      try: { client: 'send the current secret', host: 'look at `secrets` of the service' },
    },
  },
  'Bodies and paths': {
    path_undecodable: {
      headline: 'Express can’t decode a parameter of the path',
      try: { client: 'encode the path as UTF-8' },
    },
    body_not_json: {
      headline: 'the body is not `application/json` in UTF-8',
      expected: 'application/json',
      got: 'the `Content-Type`',
      try: { client: 'send `Content-Type: application/json`' },
    },
    body_encoded: {
      headline: 'the body is compressed, and nobody has decoded it',
      got: 'the codings',
      try: { client: 'send the body plain', host: 'put a parser that decodes it in front' },
    },
    body_too_large: {
      headline: 'the body is over the limit',
      expected: 'the limit',
      try: { client: 'send less', host: 'raise the limits of `readJson`' },
    },
    body_late: {
      headline: 'the body was not whole in time',
      expected: 'the limit',
      try: { client: 'look at the network: the body comes slowly', host: 'raise `timeoutSeconds`' },
    },
    body_aborted: {
      headline: 'the client went away while it sent the body',
      try: { nobody: 'nothing is to be done' },
    },
    body_lost: {
      headline: 'the body ended in an error of the connection',
      try: { nobody: 'nothing is to be done' },
    },
    body_not_an_object: {
      headline: 'the body is malformed JSON, or JSON and no object',
      got: 'of what type it is',
      try: { client: 'send one JSON object' },
    },
    field_invalid: {
      headline: 'a field of the body is missing or wrong; the answer names it',
      try: { client: 'mend the field that the answer names' },
    },
  },
}
