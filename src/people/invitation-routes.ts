/** The routes of invitations, as data: bodies in, the actions called, bodies out. */
import type { AuthContext, Organization, User } from '../context.ts'
import { readJson } from '../http/read-json.ts'
import {
  aFunction,
  aGroup,
  aListOf,
  aName,
  aRoutePathAbove,
  checkedBy,
  optional,
  ownMembers,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { anOrgSelector } from '../orgs/selector.ts'
import type { AuthResponse, OrgSelector } from '../request.ts'
import type { Route } from '../route.ts'
import type { Invitation } from '../storage/repositories.ts'
import type { Provisioner } from '../users/provisioner.ts'
import type { AcceptedInvitation, ReceivedInvitation } from './invitation-settings.ts'
import type { Invitations } from './invitations.ts'
import { answer, bodiesOf, paramOf, requireActions, routeOf } from './people-routes.ts'

/** Options of {@link createInvitationRoutes}. */
export interface InvitationRoutesOptions<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  /** Where the routes are. Default `/api/invitations`. */
  readonly path?: string | undefined
  /**
   * Where else than by those of the org resolver a request names the organization that invites: `[pathParam('orgId')]`, say,
   * with the path `/orgs/:orgId/invitations`.
   */
  readonly selectors?: readonly OrgSelector[] | undefined
  /**
   * The provisioner. With it accepting asks for a verified identity alone: who is nobody here yet is made in the same
   * transaction, with this membership and no organization of their own. Default: accepting needs a user.
   */
  readonly provision?: Provisioner<U, O, Tx> | undefined
  /** What the one member of every answer's body is called: `data`, say. Default: after what it holds, as `present` says. */
  readonly envelope?: string | undefined
  /** Other bodies of answers than the default ones, or promises of them. */
  readonly present?: InvitationPresenter<O> | undefined
}

/** What the bodies of answers are. */
export interface InvitationPresenter<O extends Organization = Organization> {
  /** A new one. Default `{"invitation":{"id","email","role","expires_at"}}`. */
  readonly created?: ((invitation: Invitation) => unknown) | undefined
  /** The pending ones of the organization. Default `{"invitations":[…]}`, each as a new one. */
  readonly listed?: ((invitations: readonly Invitation[]) => unknown) | undefined
  /** The caller's. Default `{"invitations":[…]}`, each with `"org":{"id","name"}`. */
  readonly received?: ((invitations: readonly ReceivedInvitation<O>[]) => unknown) | undefined
  /** One that was accepted. Default `{"membership":{"org":{"id","name"},"role"}}`. */
  readonly accepted?: ((accepted: AcceptedInvitation<User, O>) => unknown) | undefined
}

/**
 * Create the routes of invitations: `POST` (201) and `GET` of the path, `DELETE <path>/:id` (204), for who may invite;
 * `GET <path>/mine` and `POST <path>/:id/accept`, which reads no body, for who was invited; where there are links,
 * `POST <path>/accept` with `{"secret"}`. They take users only and refuse as the methods of {@link Invitations} and `readJson`
 * do. No answer may be cached.
 *
 * @throws OptionsError for an unknown or wrong option
 * @example
 * mount(app, createInvitationRoutes(invitations, { provision: users }))
 */
export function createInvitationRoutes<U extends User, O extends Organization, Tx>(
  invitations: Invitations<U, O, Tx>,
  options: InvitationRoutesOptions<U, O, Tx> = {},
): readonly Route[] {
  requireActions(NAME, 'invitations', invitations, ['create', 'list', 'revoke', 'mine', 'accept', 'acceptByLink'])
  const parsed = parseOptions(NAME, shape<U, O, Tx>(), options)
  const { path = '/api/invitations', selectors, provision, envelope, present } = parsed
  const own = presenterOf(envelope)
  const { created = own.created, listed = own.listed } = { ...present }
  const { received = own.received, accepted = own.accepted } = { ...present }
  const managing = { selectors, ...invitations.manage }
  const accepting = { needs: provision === undefined ? 'user' : 'identity' } as const
  const membership = async (work: Promise<AcceptedInvitation<U, O>>): Promise<AuthResponse> =>
    answer(200, accepted(await work))
  const byLink = async (context: AuthContext, secret: unknown): Promise<AuthResponse> =>
    membership(invitations.acceptByLink(context, secret, { provision }))

  return Object.freeze([
    routeOf('POST', path, managing, async (context, request) => {
      const { email, role } = ownMembers(await readJson(request))
      return answer(201, created(await invitations.create(context, { email, role })))
    }),
    routeOf('GET', path, managing, async (context) => answer(200, listed(await invitations.list(context)))),
    routeOf('DELETE', `${path}/:id`, managing, async (context, request) => {
      await invitations.revoke(context, paramOf(request, 'id'))
      return answer(204, null)
    }),
    routeOf('GET', `${path}/mine`, { needs: 'user' }, async (context) =>
      answer(200, received(await invitations.mine(context, { provision }))),
    ),
    routeOf('POST', `${path}/:id/accept`, accepting, async (context, request) =>
      membership(invitations.accept(context, paramOf(request, 'id'), { provision })),
    ),
    ...(invitations.hasLinks
      ? [
          routeOf('POST', `${path}/accept`, accepting, async (context, request) =>
            byLink(context, ownMembers(await readJson(request))['secret']),
          ),
        ]
      : []),
  ])
}

function toBody({ id, email, role, expiresAt }: Invitation): Readonly<Record<string, unknown>> {
  return { id, email, role, expires_at: expiresAt }
}

// A host's organization need not have a name.
function toOrg(org: Organization & { readonly name?: unknown }): unknown {
  return { id: org.id, name: org.name ?? null }
}

function presenterOf(envelope: string | undefined) {
  const body = bodiesOf(envelope)
  return {
    created: (invitation) => body('invitation', toBody(invitation)),
    listed: (invitations) => body('invitations', invitations.map(toBody)),
    received: (received) =>
      body(
        'invitations',
        received.map(({ invitation, org }) => ({ ...toBody(invitation), org: toOrg(org) })),
      ),
    accepted: ({ org, role }) => body('membership', { org: toOrg(org), role }),
  } satisfies InvitationPresenter
}

const NAME = 'createInvitationRoutes'
// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization, Tx>(): Shape<InvitationRoutesOptions<U, O, Tx>> => ({
  path: optional(aRoutePathAbove('id')),
  selectors: optional(aListOf(anOrgSelector())),
  provision: optional(
    checkedBy((value) =>
      typeof value === 'function' && 'settings' in value ? null : 'must be what createProvisioner made',
    ),
  ),
  envelope: optional(aName()),
  present: optional(
    aGroup<InvitationPresenter<O>>({
      created: optional(aFunction()),
      listed: optional(aFunction()),
      received: optional(aFunction()),
      accepted: optional(aFunction()),
    }),
  ),
})
