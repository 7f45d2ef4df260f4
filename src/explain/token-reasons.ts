/** What is said of the reasons of tokens: data. */
import type { ReasonSections } from './reason-text.ts'

export const TOKEN_REASONS: ReasonSections = {
  'The form of a token': {
    token_oversize: {
      headline: 'the token is longer than `maxTokenBytes`',
      expected: 'the limit',
      got: 'its length',
      try: { issuer: 'leave out claims', host: 'raise `maxTokenBytes`' },
    },
    token_not_a_jwt: {
      headline: 'there is no dot in the token: it is opaque, or an API key without its prefix',
      got: 'the text of a variable without a value (`undefined`), or what a known API key begins with',
      try: {
        client:
          'ask the issuer for a JWT: name the audience of this API, without one some issuers give an opaque token',
      },
    },
    token_part_count: {
      headline: 'the token does not have three parts; five are an encrypted token, which is never decrypted',
      expected: '3 parts',
      got: 'how many',
      try: { client: 'send the whole token', issuer: 'switch encryption of access tokens off' },
    },
    token_part_encoding: {
      headline: 'a part of the token is not canonical base64url',
      says: 'a part of the token is not canonical base64url: {got} in it',
      got: 'what does not belong there, of what is known: quotes, white space, percent signs',
      try: {
        client: 'send the token as the issuer gave it: it was cut or changed on the way',
      },
    },
    token_header_not_object: {
      headline: 'the header of the token is not a JSON object',
      try: { client: 'send the token as the issuer gave it' },
    },
    token_header_extension: {
      headline: 'the header has `crit`, `b64` or `zip`, which are not supported',
      got: 'which one',
      try: { issuer: 'sign without `crit`, `b64` and `zip`' },
    },
    token_algorithm_unknown: {
      headline: 'the algorithm is not one that this library verifies; `none` is not',
      says: 'the token is signed by {got}, verified is {expected}',
      expected: 'those it verifies',
      got: 'the `alg`, or of what type it is',
      try: { issuer: 'sign by one of the algorithms that are verified' },
    },
    token_kid_malformed: {
      headline: 'the key id is no text, or too long',
      expected: 'its form',
      got: 'of what type it is',
      try: { issuer: 'write a `kid` that is text' },
    },
    token_type_malformed: {
      headline: 'the `typ` header is no text',
      expected: 'text',
      got: 'of what type it is',
      try: { issuer: 'write a `typ` that is text' },
    },
    token_payload_not_object: {
      headline: 'the payload of the token is not a JSON object',
      try: { client: 'send the token as the issuer gave it' },
    },
    token_issuer_unknown: {
      headline: 'no issuer of the verifier has this name, to the letter',
      says: 'the token says "{got}", trusted is "{expected}"',
      saysOf: { none: 'the token names no issuer, trusted is "{expected}"' },
      expected: 'the issuers',
      got: 'the `iss`, or of what type it is; anybody may have written it. Of an API key of Supabase which one it is',
      try: {
        host: 'write the issuer as its tokens name it, to the letter',
        client: 'take a token of this environment',
      },
    },
    issuer_look_ups_exhausted: {
      headline: 'so many unknown issuers have been looked up within a minute that this one is not, yet',
      try: { wait: 'it passes by itself', host: 'write `mayBe` of the look-up, so that fewer names are asked for' },
    },
    issuer_look_up_failing: {
      headline: 'the look-up of the issuer takes too long, or failed a moment ago',
      try: { wait: 'it passes by itself', host: 'look at `find` of the look-up' },
    },
    token_type_refused: {
      headline: 'the `typ` header is not one that the issuer’s tokens may have: an ID token or a logout token, say',
      says: 'the token is of type "{got}", accepted is "{expected}"',
      expected: 'the types',
      got: 'the type',
      try: { client: 'send the access token', host: 'add the type to `types` of the issuer, if it is meant' },
    },
  },
  'The key of a token': {
    token_algorithm_not_of_issuer: {
      headline: 'the issuer has no key source for this algorithm',
      says: 'the token is signed by {got}, the issuer has keys for {expected}',
      expected: 'the issuer’s algorithms',
      got: 'the algorithm',
      try: {
        host: 'add the key source: `jwks` beside `secret` after a move to signing keys, `algorithms` of the source for others',
      },
    },
    token_key_unknown: {
      headline: 'no key of the issuer has this algorithm and key id, its newest keys included',
      says: 'no key fits: wanted {expected}, there are {got}',
      expected: 'what key is wanted',
      got: 'how many there are',
      try: { client: 'take a token of this environment', host: 'look at the URL of the keys' },
    },
    token_key_ambiguous: {
      headline: 'the token has no key id, and too many keys would fit',
      expected: 'the limit',
      got: 'how many fit',
      try: { issuer: 'write `kid`' },
    },
    token_signature_invalid: {
      headline: 'no key that fits has signed it',
      try: {
        host: 'compare the secret (`encoding: base64`?) or the URL of the keys with the issuer’s',
        client: 'take a token of this environment',
      },
    },
    key_servers_failing: {
      headline: 'the key wanted is not cached, and its server can’t be asked',
      says: 'the keys can’t be had: {got}',
      got: 'which servers, and what became of asking them: a status or a word',
      try: { host: 'look at the network and the URL of the keys', wait: 'it passes by itself once the server answers' },
    },
  },
  'The claims of a token': {
    token_subject_malformed: {
      headline: 'the token has no `sub`, or it is no text, blank, too long or holds control characters',
      says: '`sub` of the token is a {got}, and no text',
      saysOf: {
        none: 'the token has no `sub`',
        string: '`sub` of the token is blank, too long or holds control characters',
      },
      got: 'of what type it is',
      try: { issuer: 'write `sub` as text', host: 'say where the subject is: `claims.subject`' },
    },
    token_audience_malformed: {
      headline: '`aud` is neither text nor a list of texts',
      try: { issuer: 'write `aud` as text or a list of texts' },
    },
    token_audience_missing: {
      headline: 'the token has no audience, and the issuer’s options want one',
      says: 'the token names no audience, wanted is "{expected}"',
      expected: 'the audiences',
      try: {
        client: 'ask the issuer for the audience',
        host: 'write `audience: null`, if this issuer signs for nobody else',
      },
    },
    token_audience_other: {
      headline: 'the token is for somebody else',
      says: 'the token is for "{got}", wanted is "{expected}"',
      expected: 'the audiences of the issuer’s options',
      got: 'those of the token',
      try: { client: 'ask the issuer for this API’s audience', host: 'write the audience as the tokens have it' },
    },
    token_bound_to_key: {
      headline: 'the token is bound to a key (`cnf`), and nobody here asks for a proof of it',
      try: { issuer: 'give plain bearer tokens', host: "write `boundTokens: 'as-bearer'`, if that is meant" },
    },
    token_scopes_malformed: {
      headline: 'the claim that says what the token allows (`claims.scopes` of its issuer) holds no scopes',
      expected: 'its form',
      got: 'of what type it is',
      try: {
        issuer: 'write scopes with one space between them, or a list of them',
        host: 'look at `claims.scopes`: the name of the claim, or a function that makes scopes of it',
      },
    },
    token_actor_malformed: {
      headline: 'the `act` claim does not say who acts for the subject',
      more: 'Or it says it of too many, one for another (RFC 8693 §4.1).',
      expected: 'its form, how deep',
      got: 'of what type it is',
      try: { issuer: 'write `act` as an object with `sub`' },
    },
    token_time_malformed: {
      headline: '`exp`, `nbf` or `iat` is not a number of seconds',
      expected: 'which claim',
      got: 'of what type it is',
      try: { issuer: 'write seconds since 1970 as a number' },
    },
    token_not_yet_valid: {
      headline: '`nbf` is still to come',
      says: 'the token is valid from {got}',
      expected: 'the rule, now, the leeway',
      got: '`nbf`',
      try: { host: 'set the clocks: this machine’s or the issuer’s is off', client: 'wait until then' },
    },
    token_issued_in_future: {
      headline: '`iat` is still to come',
      says: 'the token says that it was issued at {got}',
      expected: 'the rule, now, the leeway',
      got: '`iat`',
      try: { host: 'set the clocks: this machine’s or the issuer’s is off' },
    },
    token_too_old: {
      headline: 'the token is older than `maxTokenAgeSeconds`, or does not say how old it is',
      expected: 'the rule, now, the age, the leeway',
      got: '`iat`',
      try: { client: 'sign in again', host: 'look at `maxTokenAgeSeconds`' },
    },
    token_without_expiry: {
      headline: 'the token has no `exp`: it would be good for ever',
      try: { issuer: 'write `exp`' },
    },
    token_expiry_passed: {
      headline: 'the token is good in every other respect, and has expired',
      says: 'the token expired at {got}',
      expected: 'the rule, now, the leeway',
      got: '`exp`, and when it was issued',
      try: { client: 'refresh the token' },
    },
    identity_check_refused: {
      headline: '`check` of the issuer’s options said `false`',
      try: { host: 'look at your own rule, `check` of the issuer' },
    },
    token_of_a_machine: {
      headline: 'nobody stands behind the token, and the route takes no machines',
      try: {
        client: 'send a user’s token',
        host: 'let machines in by `accept` of the route, or say what one is by `machine` of the issuer',
      },
    },
    token_kind_not_accepted: {
      headline: '`accepts` of the issuer’s options does not take this kind of token',
      more: 'Where a preset wrote it, that says what was amiss.',
      says: 'the issuer’s rule wants {expected}; the token has {got}',
      expected: 'of a preset: what it takes',
      got: 'of a preset: `azp`, `client_id`, `token_use`, `typ`, `sts`; of other claims whether they are there',
      try: { host: 'look at `accepts` of the issuer: your own, or the options of the preset that wrote it' },
    },
    anonymous_user: {
      headline: 'a guest (Supabase, Firebase, Better Auth), who has signed up for nothing',
      try: { client: 'sign up', host: "write `anonymous: 'accept'`, if guests may call" },
    },
    third_party_app: {
      headline: 'the token was granted to an app of somebody else (Supabase, Better Auth)',
      says: 'the token was granted to the app {got}, and `apps` of the preset lists {expected}',
      expected: 'the apps',
      got: 'the client id',
      try: { host: 'list the app in `apps` of the preset, if it may act for people' },
    },
  },
}
