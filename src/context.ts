/**
 * The nouns handed on from step to step (Credential → Identity → User → ActingOrg → AuthContext) and the types of the
 * steps themselves. What one step returns is the next one's argument. Types only.
 */
import type { Principal, Reason } from './errors.ts'
import type { Access, AccessRule, AuthRequest, CallerKind, IdentityRule, Needs, OrgSelector } from './request.ts'

/** What the request brought to prove who calls: exactly one, or none. */
export type Credential =
  | { readonly kind: 'bearer'; readonly token: string; readonly from: 'header' | 'cookie' | 'gateway' }
  | { readonly kind: 'apiKey'; readonly token: string }
  | { readonly kind: 'service'; readonly header: string; readonly secret: string }

/** What names a person across systems: an identity provider and its subject. E-mail never does. */
export interface IdentityKey {
  readonly issuer: string
  readonly subject: string
}

/**
 * Who a verified token says is calling: named claims only, frozen.
 * @typeParam C names of the further claims the host asked for with `claims: [...]`
 */
export interface Identity<C extends string = string> extends IdentityKey {
  /**
   * Who signed the token, by the first of its names: another one than `issuer` where its options say whose identities these
   * are (`identityIssuer`). For whoever asks the issuer itself; it names nobody. Left out: as `issuer`.
   */
  readonly tokenIssuer?: string | undefined
  /** Whether a person stands behind the token, or nobody (client credentials, a workload), as its issuer's options tell. */
  readonly kind: 'person' | 'machine'
  /** The machine that a written rule of the issuer's options names; `null`, or left out: none does. */
  readonly machine?: WrittenMachine | null | undefined
  /** All audiences of the token. */
  readonly audience: readonly string[]
  /** The `email` claim as the issuer wrote it, or `null`. It proves nothing by itself. */
  readonly email: string | null
  /**
   * Whether the e-mail is verified, as its issuer says it (`emails` of its options), or `null` where it says nothing. By
   * default that is the top-level `email_verified` claim. `user_metadata`, which users edit themselves, is never read.
   */
  readonly emailVerified: boolean | null
  /** What to call them, as the issuer wrote it (the `name` claim by default), or `null`. For display: it names nobody. */
  readonly name: string | null
  /**
   * What the token allows at most, where its issuer's options say in which claim that stands (`claims.scopes`): no word twice,
   * empty where the token says nothing. `null`: it sets no bound.
   */
  readonly scopes: readonly string[] | null
  /** Who acts for the subject (the `act` claim, RFC 8693 §4.1), or `null`. */
  readonly actor: Actor | null
  /** The `jti` claim, or `null`. */
  readonly tokenId: string | null
  /** When the token ends. */
  readonly expiresAt: Date
  /** The further claims the host named, as the token has them (deeply frozen); `undefined` where it has none. */
  readonly claims: Readonly<Record<C, unknown>>
}

/** Who acts for somebody, by a token that says so (RFC 8693 §4.1): an agent, a support desk. Frozen. */
export interface Actor {
  readonly subject: string
  /** Whose subject that is; `null`: not said. */
  readonly issuer: string | null
  /** Who acts for that one, in turn; `null`: nobody. */
  readonly actor: Actor | null
}

/** What a person's issuer says of them when it is asked, beside the token. What is left out stays as the token has it. */
export interface Profile {
  /** Their address, as a mail is written to it. */
  readonly email?: string | null | undefined
  /** Whether this very `email` is verified. */
  readonly emailVerified?: boolean | null | undefined
  /** What they are called. */
  readonly name?: string | null | undefined
}

/** A user of this service, in the host's own tables. Hosts extend it; their wider type reaches the handler. */
export interface User {
  readonly id: string
  readonly email: string | null
  /** The row is disabled or deleted here: the caller is refused and never provisioned again. */
  readonly disabled: boolean
}

/** An organization of this service. Hosts extend it. */
export interface Organization {
  readonly id: string
}

/** The organization a call acts in, and as what. */
export interface ActingOrg<O extends Organization | null = Organization | null> {
  readonly org: O
  /** The role as stored; `null` where the caller has none (a service, or no organization). */
  readonly role: string | null
}

/**
 * Roles, and what each may do: one value for all that asks for roles, made by {@link createRoles}.
 * @typeParam P names of the permissions
 */
export interface Roles<R extends string = string, P extends string = string> {
  /** The roles: of a ladder lowest first, of sets as they were written. */
  readonly names: readonly R[]
  /** Every permission that a role can have, sorted. */
  readonly permissions: readonly P[]
  /** The highest role of a ladder; `null` of sets, of which none need be above the others. */
  readonly highest: R | null
  /** Whether `role` is `other` or includes it: on a ladder, whether it is at least `other`. Of what is no role: `false`. */
  includes(role: string, other: string): boolean
  /** What a role may do, sorted; what is no role may do nothing. */
  permissionsOf(role: string): readonly P[]
}

/** The roles of one auth, for whoever writes one: those of its option `roles`, and those that organizations made themselves. */
export interface KnownRoles {
  readonly roles: Roles
  /** Whether organizations make roles at run time. */
  readonly hasCustom?: boolean | undefined
  /** Find what a role may do in an organization; `null`: there is no such role. */
  find(orgId: string, role: string): readonly string[] | null | Promise<readonly string[] | null>
}

/** An API key, as far as a handler may know it. */
export interface ApiKey {
  /** The public id: safe to log. */
  readonly id: string
  /** What its maker has called it. */
  readonly name: string
  /** The one organization it acts in; `null`: it is bound to none and acts in whichever the request names. */
  readonly orgId: string | null
  /** The role that it acts as. */
  readonly role: string
  /** What the key carries: it can do no more, whatever its role may. */
  readonly permissions: readonly string[]
}

/** A machine, as far as a handler may know it: a workload, an app by client credentials; nobody stands behind its tokens. */
export interface Machine {
  /** Safe to log. */
  readonly id: string
  readonly name: string
  /** The one organization it acts in; `null`: it is bound to none and acts in whichever the request names. */
  readonly orgId: string | null
  /** The role it acts as; `null`: none. */
  readonly role: string | null
  /** What it may do: of a role's permissions these alone, without a role these; `null`: what its role may. */
  readonly permissions: readonly string[] | null
}

/** A machine that stands in a written rule (`machines` of an issuer's options) and in no storage. Frozen. */
export interface WrittenMachine {
  readonly name: string
  /** As in {@link Machine}; left out: it acts in no organization. */
  readonly orgId?: string | null | undefined
  readonly role: string | null
  readonly permissions: readonly string[] | null
}

/** What the verifier made of a credential. */
export type Verified<C extends string = string> =
  | { readonly kind: 'user' | 'machine'; readonly identity: Identity<C> }
  | { readonly kind: 'apiKey'; readonly key: ApiKey }
  | { readonly kind: 'service'; readonly name: string }

/** Who asks for an organization, as the org resolver and its source see it. */
export type Caller<U extends User = User> =
  | { readonly kind: 'user'; readonly user: U }
  | { readonly kind: 'apiKey'; readonly key: ApiKey }
  | { readonly kind: 'machine'; readonly machine: Machine }
  | { readonly kind: 'service'; readonly name: string }

/** How a request names its organization, read early and judged in the org resolver. */
export type OrgSelection =
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'named'; readonly orgId: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'conflict' }

/** What the user resolver lets in. */
export interface ResolvedUser<U extends User = User> {
  readonly user: U
  /** The user's role where it hangs on the user itself; else left out. */
  readonly role?: string | undefined
  /**
   * What storage found for the selection in the same query: the acting org, or `null` for "asked, none".
   * Left out: not asked.
   */
  readonly membership?: ActingOrg<Organization> | null | undefined
  /** Whether this very call created the user. */
  readonly created?: boolean | undefined
  /** What it did then, for the decision record. Left out: it made nobody. */
  readonly provisioned?: Provisioned | undefined
}

/** What became of somebody seen for the first time. Frozen. */
export interface Provisioned {
  /** An organization of their own, one that was there, or none. */
  readonly decision: 'create' | 'join' | 'none'
  /** The organization made or joined, or `null`. */
  readonly orgId: string | null
  /** The invitation that was taken, or `null`. */
  readonly invitationId: string | null
  /** The invitations of their e-mail that were not, at most 100. */
  readonly passedOver: readonly PassedOver[]
}

/** An invitation that did not take effect, and why. */
export interface PassedOver {
  readonly invitationId: string
  readonly orgId: string
  /**
   * `when_accepted`: it must be accepted. `several_pending`: beside others that are as good. `expired`. `inviter_not_entitled`:
   * who invited may not grant its role there any more. `email_not_verified`. `role_unknown`: there is no such role.
   * `decided_otherwise`: by the host's `decide`.
   */
  readonly why:
    | 'when_accepted'
    | 'several_pending'
    | 'expired'
    | 'inviter_not_entitled'
    | 'email_not_verified'
    | 'role_unknown'
    | 'decided_otherwise'
}

/** What a readiness probe may say. It holds no secret. */
export interface Readiness {
  /** Somebody can be verified, and no issuer that answers lacks a key. */
  readonly isReady: boolean
  /** Issuers whose keys can't be had now: their own users are 503, nobody else. `null` is the issuer that isn't checked. */
  readonly down: readonly (string | null)[]
}

/** Step 2 for bearer tokens: {@link createJwtVerifier} makes one. */
export interface Verifier<C extends string = string> {
  /**
   * Verify the token or throw `AuthError` (`unauthorized`, `token_expired`, `keys_unavailable`). A machine's token verifies
   * too: whoever wants a person looks at `kind`, as the pipeline does.
   */
  verify(token: string): Promise<Identity<C>>
  /** Whether the scopes of some tokens bind (`scopes` of their identities). Left out: not known. */
  readonly bindsScopes?: boolean | undefined
  /** The machines that written rules name. Left out: not known. */
  readonly machines?: readonly WrittenMachine[] | undefined
  /** Whether there may be rules beside those, of issuers that are looked up. Default: there are none. */
  readonly namesOtherMachines?: boolean | undefined
  /** Whether all its issuers are known to sign in people of this service alone (`people: 'own'`). Left out: not known. */
  readonly hasOwnPeopleAlone?: boolean | undefined
  /** Load what verification needs, before the first request. */
  warmUp?(): Promise<void>
  /** Whether somebody could be verified now. */
  isReady?(): boolean
  /** The same, and which issuers can't be reached. Default: what `isReady` says, and none. */
  readiness?(): Readiness
  /** End everything in flight. */
  close?(): void
}

/** Verifies API keys, `createApiKeys(…)` for one: a bearer token that begins with `<prefix>_` goes here. */
export interface ApiKeyVerifier {
  /** What every key begins with, without the underscore after it: by it a bearer is told from a token. */
  readonly prefix: string
  /** The roles of its keys: `createAuth` takes none but its own. Left out: not compared. */
  readonly roles?: Roles | undefined
  /** What a key may carry. Left out: whatever there is. */
  readonly permissions?: readonly string[] | undefined
  /** Verify a whole key, prefix included. Throws `AuthError`: `unauthorized` for a key that is none, or no more. */
  verify(token: string): Promise<ApiKey>
}

/** Verifies service secrets: {@link createServiceVerifier} makes one. */
export interface ServiceVerifier<S extends string = string, P extends string = string> {
  /** Names of the services, the header each sends its secret in, and what it may do; left out: nothing. */
  readonly services: readonly {
    readonly name: S
    readonly header: string
    readonly permissions?: readonly P[] | undefined
  }[]
  /** Find the service whose header and secret those are. Throws `AuthError`: `unauthorized` where there is none. */
  verify(header: string, secret: string): Promise<S>
}

/** Step 3: who that identity is here. {@link createSyncGate} and {@link createProvisioner} are of this type. */
export interface UserResolver<U extends User = User, C extends string = string> {
  /**
   * `roles`: those of `createAuth`; a step that writes roles writes no other. `token`: what the identity was verified by, for
   * who asks its issuer for more; never keep one.
   */
  (identity: Identity<C>, selection: OrgSelection, roles?: KnownRoles, token?: string): Promise<ResolvedUser<U>>
  /** Roles this step writes by itself: `createAuth` checks that there are such roles. */
  readonly assignsRoles?: readonly string[] | undefined
  /** The roles this step was made with: `createAuth` takes no others. */
  readonly roles?: Roles | undefined
}

/** Step 4: which organization the call acts in. */
export interface OrgResolver<U extends User = User, O extends Organization | null = Organization | null> {
  /** Read what the request names: pure, no storage. Path selectors of the route come in `selectors`. */
  readSelection(request: AuthRequest, selectors: readonly OrgSelector[]): OrgSelection
  /** Judge the selection against what the caller may act in. `known` is what the user resolver already found. */
  resolve(caller: Caller<U>, selection: OrgSelection, known?: ActingOrg<Organization> | null): Promise<ActingOrg<O>>
  /** The canonical form of an id named in a body, or `null` if it is malformed. */
  toOrgId(text: string): string | null
  /** The request headers that `readSelection` reads, for `Vary`. Left out: none. */
  readonly selectorHeaders?: readonly string[] | undefined
  /** The response header that echoes the serving org, or `null`. */
  readonly responseHeader: string | null
}

/** The types a host's steps carry to its handlers; inferred by `createAuth`. */
export interface AuthTypes {
  /** The row of a user. */
  readonly user: User
  /** The row of an organization; `null` where a user may act in none. */
  readonly org: Organization | null
  /** The roles that are written. */
  readonly role: string
  /** The role where a caller acts: `role`; `null` too where the resolver may serve without an organization; any where organizations make roles. */
  readonly actingRole: string | null
  /** What routes can ask: the permissions of roles and services. */
  readonly permission: string
  /** The claims that an identity hands on. */
  readonly claim: string
  /** The names of services. */
  readonly service: string
  /** Only where `createAuth` was given no users and no orgs: its routes know the identity alone. */
  readonly needs?: 'identity' | undefined
}

/** What a route of an auth may ask. */
export type AccessOf<T extends AuthTypes> = T extends IdentityOnly
  ? 'public' | IdentityRule<T['service']>
  : Access<T['role'], T['permission'], T['service']>

interface IdentityOnly {
  readonly needs: 'identity'
}

/** What a handler of `needs: 'identity'` gets: a verified person, not looked up here. */
export interface IdentityContext<T extends AuthTypes = AuthTypes> {
  /** The kind of caller: what TypeScript narrows a context by. */
  readonly kind: 'user'
  /** Who the token says that is. */
  readonly identity: Identity<T['claim']>
  /** What the caller may do here, sorted: what its token's scopes carry, where they bind; else nothing. */
  readonly permissions: readonly T['permission'][]
}

/** What a handler of `needs: 'user'` gets: the person as this service knows them, no organization. */
export interface UserContext<T extends AuthTypes = AuthTypes> extends IdentityContext<T> {
  /** Their row here, as `users` found or made it. */
  readonly user: T['user']
  /** The user's own role, where roles hang on users; else `null`. With one, `permissions` are what it may do. */
  readonly role: T['role'] | null
}

/** What a handler of `needs: 'org'` (the default) gets: the person, acting in one organization as one role. */
export interface UserOrgContext<T extends AuthTypes = AuthTypes> extends IdentityContext<T> {
  /** Their row here, as `users` found or made it. */
  readonly user: T['user']
  /** The organization that this request acts in; `null`, where the resolver may serve without one, for none. */
  readonly org: T['org']
  /** Their role in it. */
  readonly role: T['actingRole']
  /** What the caller may do here, sorted: what its role may, as far as its token's scopes carry it, where they bind. */
  readonly permissions: readonly T['permission'][]
}

/** What a handler gets for an API key: always in an organization, its own if it is bound to one. */
export interface ApiKeyContext<T extends AuthTypes = AuthTypes> {
  readonly kind: 'apiKey'
  /** The key that the request carries. */
  readonly key: ApiKey
  /** The organization that this request acts in: the key's own, if it is bound to one. */
  readonly org: NonNullable<T['org']>
  /** The role that the key acts as. */
  readonly role: NonNullable<T['actingRole']>
  /** What the key may do here, sorted: what its role may, as far as the key carries it. */
  readonly permissions: readonly T['permission'][]
}

/** What a handler of `needs: 'identity'` gets for a machine: who it is here, no organization. */
export interface MachineContext<T extends AuthTypes = AuthTypes> {
  readonly kind: 'machine'
  /** Which machine that is here. */
  readonly machine: Machine
  /** Who its token says that is. */
  readonly identity: Identity<T['claim']>
  /** What the machine may do here, sorted: what it was given, as far as its token's scopes carry it, where they bind. */
  readonly permissions: readonly T['permission'][]
}

/** What a handler gets for a machine: in an organization, its own if it is bound to one. As for an API key but for the role. */
export interface MachineOrgContext<T extends AuthTypes = AuthTypes> extends MachineContext<T> {
  /** The organization that this request acts in. */
  readonly org: NonNullable<T['org']>
  /** `null`: it has none, and may do what stands by itself in its row or rule. */
  readonly role: T['actingRole'] | null
}

/**
 * What a handler gets for a trusted service with its shared secret: its name. It is nobody: no user, no role, no organization
 * until `auth.actIn(context, orgId)`.
 */
export interface ServiceContext<T extends AuthTypes = AuthTypes> {
  readonly kind: 'service'
  /** Its name, as it is declared. */
  readonly service: T['service']
  /** What the service may do, sorted: what is written where it is declared. */
  readonly permissions: readonly T['permission'][]
}

/** A service, acting in the organization it named. */
export interface ServiceOrgContext<T extends AuthTypes = AuthTypes> extends ServiceContext<T> {
  /** The organization that it named. */
  readonly org: NonNullable<T['org']>
}

/** Any context a request can end in. */
export type AuthContext<T extends AuthTypes = AuthTypes> =
  | IdentityContext<T>
  | UserContext<T>
  | UserOrgContext<T>
  | ApiKeyContext<T>
  | MachineContext<T>
  | MachineOrgContext<T>
  | ServiceContext<T>

type Given<A, K extends PropertyKey, Default> = K extends keyof A
  ? NonNullable<A[K]> | (undefined extends A[K] ? Default : never)
  : Default

type Accepted<A> =
  Given<A, 'accept', readonly ['user']> extends infer L extends readonly CallerKind[] ? L[number] : never

type ByNeeds<T extends AuthTypes, S> = S extends 'identity'
  ? IdentityContext<T>
  : S extends 'user'
    ? UserContext<T>
    : UserOrgContext<T>

type OfMachine<T extends AuthTypes, S> = S extends 'identity' ? MachineContext<T> : MachineOrgContext<T>

type NeedsOf<T extends AuthTypes, A> = Given<A, 'needs', T extends IdentityOnly ? 'identity' : 'org'> & Needs

type ByKind<T extends AuthTypes, A, K> = K extends 'user'
  ? ByNeeds<T, NeedsOf<T, A>>
  : K extends 'apiKey'
    ? ApiKeyContext<T>
    : K extends 'machine' | `machine:${string}`
      ? OfMachine<T, NeedsOf<T, A>>
      : ServiceContext<T>

/** The context a route with the Access `A` hands its handler: narrowed by `accept`, `needs` and `optional`. */
export type AuthContextOf<T extends AuthTypes, A = object> = A extends AccessRule
  ? ByKind<T, A, Accepted<A>> | (true extends Given<A, 'optional', false> ? null : never)
  : null

/**
 * What a request leaves behind for `onDecision`, once, whatever it was mounted with: told when the head of the answer is out,
 * and where there is no answer (`authenticate`), when that settles. What fails after that is told once more, by the same
 * `requestId`.
 *
 * It holds no header, cookie, body or query, and of a token's claims the names of who signed it, who calls and who acts for them.
 * What a client may have written stands in `path`, `expected` and `got`, as said there; `cause` is whatever was thrown. `onDecision`
 * may leave out or rewrite any of it before it logs.
 */
export interface Decision {
  /** What the host calls the request (`requestId` of `createAuth`), else a random UUID. */
  readonly requestId: string
  /** When the request was first looked at. */
  readonly at: Date
  /** The request's method, in upper case. */
  readonly method: string
  /**
   * The path without query, as it came, but for what is as long as a key (65 letters, digits, `-` and `_`) or begins as a JWT, which is
   * `…`. An e-mail address or a shorter code that a route of the host's has in its path (`/invitations/:code`) stands in it.
   */
  readonly path: string
  /**
   * `anonymous`: an optional route without a credential. `failed`: a fault of ours or the host's, answered 500, or 503
   * where it passes by itself.
   */
  readonly outcome: 'allowed' | 'anonymous' | 'refused' | 'failed'
  /** Which credential came, or `null`. */
  readonly credential: Credential['kind'] | null
  /** The public code of the refusal, or `null`. */
  readonly code: string | null
  /** The internal reason of the refusal, or `null`; one word per check, never a value from the request. All: `docs/reasons.md`. */
  readonly reason: Reason | null
  /**
   * What the check wanted, or `null` where that says nothing or could be a secret. As `got` at most 200 characters without
   * control characters, e-mail addresses and what looks like a token or a key, but of what a client may have chosen, the `iss` of
   * a token that is not verified for one.
   */
  readonly expected: string | null
  /** What came instead, or `null`. */
  readonly got: string | null
  /**
   * What was thrown, where the outcome is `failed`; else `undefined`. The error as its maker made it: a driver's message may
   * name values and addresses.
   */
  readonly cause?: unknown
  /** Who called; `null` where that was not reached. */
  readonly principal: Principal | null
  /** Who signed the caller's token, by the first of its names; `null`: nobody has, or it is not verified. */
  readonly issuer: string | null
  /** Who acts for the caller, as its token says; `null`: nobody, or not known. */
  readonly actor: Actor | null
  /** What the request's selectors say, or `null` where they were not read. */
  readonly selection: OrgSelection['kind'] | null
  /** The acting organization, or `null`. */
  readonly orgId: string | null
  /** The role in it, or `null`. */
  readonly role: string | null
  /** What a first login did, and the invitations that it passed over; `null` where this request made no user. */
  readonly provisioned: Provisioned | null
  /** Milliseconds spent in each step that was entered, to the microsecond. */
  readonly timings: Readonly<Partial<Record<'verify' | 'users' | 'orgs', number>>>
}
