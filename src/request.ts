/**
 * All that adapters know: the request as the pipeline reads it, the response it hands back, and what a route asks for
 * (`Access`). Plain values; no framework, no behaviour.
 */

/** What a framework knows of a request's body: bytes nobody has read, or what a body parser made of them. */
export type RequestBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'parsed'; readonly value: unknown }

/**
 * A request as the pipeline reads it, made by an adapter's `toAuthRequest`, `fromNodeRequest` or
 * `fromFetchRequest`. Read-only; no absolute URL is ever built, so a forged `Host` can do nothing.
 */
export interface AuthRequest {
  /** Upper-case method. */
  readonly method: string
  /** The path without query, for the decision record only: nothing is matched against it. */
  readonly path: string
  /**
   * The framework's own request object: the pipeline's work is kept under it, so that a second mount re-uses it.
   * One object per request.
   */
  readonly source: object
  /** Path parameters of the matched route, or `null` where none are known (middleware). */
  readonly params: Readonly<Record<string, string | undefined>> | null
  /**
   * Every line of a header exactly as it arrived, in order; none: an empty array. A Fetch `Headers` object has joined
   * them already: then it is one line, and a comma in it means a repeated header. HTTP/2's own fields have lines, too:
   * its host is `:authority`.
   */
  lines(name: string): readonly string[]
  /** The names of all headers that came, in any case. Left out by who made this request: not known. */
  headerNames?(): readonly string[]
  /** The peer's address as the socket tells it, or `null` where there is no socket. */
  readonly remoteAddress: string | null
  /** Whether the socket itself is TLS; `X-Forwarded-Proto` means nothing here. */
  readonly encrypted: boolean
  /** Whether the request asks to become another protocol (a WebSocket): it counts as unsafe for CSRF. */
  readonly upgrade: boolean
  /**
   * Be told, once, when the head of the answer is out or the connection has ended. Left out: not known; then what became of
   * the request is told as soon as it is decided.
   */
  readonly whenAnswered?: ((listener: () => void) => unknown) | undefined
  /**
   * Read the body once, at most `limit` bytes; what a body parser left is handed on. Never hangs: refuses with
   * `request_timeout` what is not whole after `timeoutSeconds` (default: the adapter's, 10). Where it took over a second,
   * the caller is judged once more, and refused as a fresh request would be.
   */
  body(limit: number, timeoutSeconds?: number): Promise<RequestBody>
}

/** A response as a value: what every adapter writes with one writer, byte for byte. */
export interface AuthResponse {
  /** The HTTP status code. */
  readonly status: number
  /** Header lines in order; a name may repeat (`Set-Cookie`). */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body as text, or `null` for none. */
  readonly body: string | null
}

/** Where a request names its organization: one header, or one parameter of the route's path. */
export type OrgSelector =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'pathParam'; readonly name: string }

/** The kinds of caller a route may accept; `service:name` admits that one service only, `machine:name` machines of that name. */
export type CallerKind<S extends string = string> =
  | 'user'
  | 'apiKey'
  | 'machine'
  | `machine:${string}`
  | 'service'
  | `service:${S}`

/** How far a route goes: later steps are not entered. */
export type Needs = 'identity' | 'user' | 'org'

/** What one route asks of its caller. Parsed when the route is mounted: a wrong value throws an `OptionsError` then. */
export interface AccessRule<R extends string = string, P extends string = string, S extends string = string> {
  /** Kinds of caller that may enter; nothing else does. Default `['user']`. */
  readonly accept?: readonly CallerKind<S>[] | undefined
  /** Let a request without any credential in, as `null`. A bad credential is refused all the same. */
  readonly optional?: boolean | undefined
  /**
   * Whether the route only tells if there is such a caller: then a verified one of another kind is 401 as nobody is, and the
   * answer has no `Vary`: its handler lets no cache keep it (`no-store`). Default `false`.
   */
  readonly probe?: boolean | undefined
  /** How far to go. Default `'org'`. */
  readonly needs?: Needs | undefined
  /** Selectors read beside the org resolver's own; all that are named must agree. A path selector belongs here. */
  readonly selectors?: readonly OrgSelector[] | undefined
  /** The role that may enter, with every one that includes it: on a ladder, the lowest. A service has none and is not asked for one. */
  readonly role?: R | undefined
  /**
   * What the caller must be allowed to do, all of it, whatever its kind: by its role where it acts, then by its credential,
   * where that has a bound; a service by where it is declared; a machine by its row or rule, too. With `needs: 'identity'`
   * people by the credential alone.
   */
  readonly permissions?: readonly P[] | undefined
}

/** What a route of an auth without users and orgs may ask: who calls, and nothing about them here. An alias: declarations spell it out. */
export type IdentityRule<S extends string = string> = {
  /** Kinds of caller that may enter; nothing else does. Default `['user']`. */
  readonly accept?: readonly Exclude<CallerKind<S>, 'apiKey'>[] | undefined
  /** Let a request without any credential in, as `null`. A bad credential is refused all the same. */
  readonly optional?: boolean | undefined
  /** The identity alone, said or not. */
  readonly needs?: 'identity' | undefined
  /** What the credential must carry, all of it: the token's scopes, where its issuer's bind; a service's, where it is declared. */
  readonly permissions?: readonly string[] | undefined
}

/**
 * What a route needs, in one value: a rule, or `'public'` (anybody, no pipeline but CSRF).
 *
 * @typeParam S the services that it may name; where roles are said, none, unless they are, too
 */
export type Access<
  R extends string = string,
  P extends string = string,
  S extends string = string extends R ? string : never,
> = 'public' | AccessRule<R, P, S>
