/** The routes by which the members of an organization are handled, as data: bodies in, the acts called, bodies out. */
import { readJson } from '../http/read-json.ts'
import {
  aFunction,
  aGroup,
  aListOf,
  aName,
  aRoutePathAbove,
  optional,
  ownMembers,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { anOrgSelector } from '../orgs/selector.ts'
import type { AuthRequest, OrgSelector } from '../request.ts'
import type { Route } from '../route.ts'
import type { Member, Membership } from '../storage/repositories.ts'
import type { MemberFields, Members } from './members.ts'
import { answer, bodiesOf, paramOf, requireActions, routeOf, withFieldNames } from './people-routes.ts'

/** Options of {@link createMemberRoutes}. */
export interface MemberRoutesOptions {
  /** Where the routes are. Default `/api/members`. */
  readonly path?: string | undefined
  /** Where else than by those of the org resolver a request names the organization: `[pathParam('id')]`, say. */
  readonly selectors?: readonly OrgSelector[] | undefined
  /** Other names of a body's fields. */
  readonly fields?: MemberFieldNames | undefined
  /** What the one member of every answer's body is called: `data`, say. Default: after what it holds, as `present` says. */
  readonly envelope?: string | undefined
  /** Other bodies of answers than the default ones, or promises of them. */
  readonly present?: MemberPresenter | undefined
}

/** What the fields of a body are called. */
export interface MemberFieldNames {
  /** The id of the user who is to be a member. Default `user_id`. */
  readonly userId?: string | undefined
  /** The role they are to have. Default `role`. */
  readonly role?: string | undefined
}

/** What the bodies of answers are. */
export interface MemberPresenter {
  /** The list. Default `{"members":[{"user_id","email","role","joined_at"}]}`. */
  readonly listed?: ((members: readonly Member[]) => unknown) | undefined
  /** A member who was added or changed. Default `{"member":{"user_id","role"}}`. */
  readonly member?: ((member: Pick<Membership, 'orgId' | 'userId' | 'role'>) => unknown) | undefined
}

/**
 * Create the routes by which members are handled: `GET` and `POST` of the path, `PATCH` and `DELETE` of `<path>/:userId`.
 * Bodies: `{"user_id","role"}` (201) and `{"role"}` (200). `DELETE` is 204: oneself leaves, without being allowed to manage.
 * They take users only, who act in the organization, and refuse as the methods of {@link Members} and `readJson` do; an id of
 * a user is taken in any case where it is a UUID. No answer may be cached.
 *
 * @throws OptionsError for an unknown or wrong option
 * @example
 * mount(app, createMemberRoutes(members, { path: '/api/v1/orgs/:id/members', selectors: [pathParam('id')] }))
 */
export function createMemberRoutes(members: Members, options: MemberRoutesOptions = {}): readonly Route[] {
  requireActions(NAME, 'members', members, ['list', 'add', 'changeRole', 'remove', 'leave'])
  const { path = '/api/members', selectors, fields, envelope, present } = parseOptions(NAME, shape(), options)
  const { userId: userIdField = 'user_id', role: roleField = 'role' } = fields ?? {}
  const own = presenterOf(envelope)
  const { listed = own.listed, member = own.member } = present ?? {}
  const { manage, list } = members.rules
  const one = `${path}/:userId`
  const names = { user_id: userIdField, role: roleField }
  const fieldsOf = async (request: AuthRequest): Promise<MemberFields> => {
    const body = ownMembers(await readJson(request))
    return { userId: body[userIdField], role: body[roleField] }
  }

  return Object.freeze([
    routeOf('GET', path, { selectors, ...list }, async (context) => answer(200, listed(await members.list(context)))),
    routeOf('POST', path, { selectors, ...manage }, async (context, request) => {
      const given = await fieldsOf(request)
      return answer(201, member(await withFieldNames(names, () => members.add(context, given))))
    }),
    routeOf('PATCH', one, { selectors, ...manage }, async (context, request) => {
      const given = { ...(await fieldsOf(request)), userId: paramOf(request, 'userId') }
      return answer(200, member(await withFieldNames(names, () => members.changeRole(context, given))))
    }),
    routeOf('DELETE', one, { selectors }, async (context, request) => {
      await members.remove(context, paramOf(request, 'userId'))
      return answer(204, null)
    }),
  ])
}

function presenterOf(envelope: string | undefined) {
  const body = bodiesOf(envelope)
  return {
    listed: (members) => body('members', members.map(toListed)),
    member: ({ userId, role }) => body('member', { user_id: userId, role }),
  } satisfies MemberPresenter
}

function toListed({ userId, email, role, joinedAt }: Member): unknown {
  return { user_id: userId, email, role, joined_at: joinedAt }
}

const NAME = 'createMemberRoutes'
// A function: what a host does not use must not stay in its bundle.
const shape = (): Shape<MemberRoutesOptions> => ({
  path: optional(aRoutePathAbove('userId')),
  selectors: optional(aListOf(anOrgSelector())),
  fields: optional(aGroup<MemberFieldNames>({ userId: optional(aName()), role: optional(aName()) })),
  envelope: optional(aName()),
  present: optional(aGroup<MemberPresenter>({ listed: optional(aFunction()), member: optional(aFunction()) })),
})
