/** The routes by which people make organizations, rename them and list their own, as data. */
import type { ActingOrg } from '../context.ts'
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
import { anOrgSelector, pathParam } from '../orgs/selector.ts'
import type { OrgSelector } from '../request.ts'
import type { Route } from '../route.ts'
import type { NamedOrganization, OrganizationFields, Organizations } from './organizations.ts'
import { answer, bodiesOf, requireActions, routeOf } from './people-routes.ts'

/** Options of {@link createOrganizationRoutes}. */
export interface OrganizationRoutesOptions<O extends NamedOrganization = NamedOrganization> {
  /** Where the routes are. Default `/api/organizations`. */
  readonly path?: string | undefined
  /** Where else than in the path the request that renames one names it; all that are named must agree. Default: nowhere but by the org resolver's. */
  readonly selectors?: readonly OrgSelector[] | undefined
  /** What the one member of every answer's body is called: `data`, say. Default: after what it holds, as `present` says. */
  readonly envelope?: string | undefined
  /** Other bodies of answers than the default ones, or promises of them. */
  readonly present?: OrganizationPresenter<O> | undefined
}

/** What the bodies of answers are. */
export interface OrganizationPresenter<O extends NamedOrganization = NamedOrganization> {
  /** The caller's own. Default `{"organizations":[{"id","name","role"}]}`. */
  readonly listed?: ((organizations: readonly ActingOrg<O>[]) => unknown) | undefined
  /** One that was made or renamed. Default `{"organization":{"id","name","role"}}`. */
  readonly organization?: ((organization: ActingOrg<O>) => unknown) | undefined
}

/**
 * Create the routes of organizations: `POST` of the path makes one (201), `GET` lists the caller's own in the order they joined,
 * `PATCH <path>/:id` renames one (200). Bodies: `{"name"}`, and `{"id","name"}` where the host has `ids`. They take users only and
 * refuse as the methods of {@link Organizations} and `readJson` do; whose organization it is not, gets what the org resolver
 * says. No answer may be cached.
 *
 * @throws OptionsError for an unknown or wrong option
 * @example
 * mount(app, createOrganizationRoutes(organizations, { path: '/api/v1/orgs' }))
 */
export function createOrganizationRoutes<O extends NamedOrganization>(
  organizations: Organizations<O>,
  options: OrganizationRoutesOptions<O> = {},
): readonly Route[] {
  requireActions(NAME, 'organizations', organizations, ['create', 'rename', 'mine'])
  const { path = '/api/organizations', selectors = [], envelope, present } = parseOptions(NAME, shape<O>(), options)
  const own = presenterOf(envelope)
  const { listed = own.listed, organization = own.organization } = present ?? {}
  const renaming = { selectors: [pathParam('id'), ...selectors], ...organizations.rules.manage }

  return Object.freeze([
    routeOf('GET', path, { needs: 'user' }, async (context) => answer(200, listed(await organizations.mine(context)))),
    routeOf('POST', path, { needs: 'user' }, async (context, request) => {
      const { id, name } = ownMembers(await readJson(request)) as Partial<OrganizationFields>
      return answer(201, organization(await organizations.create(context, { id, name })))
    }),
    routeOf('PATCH', `${path}/:id`, renaming, async (context, request) => {
      const { name } = ownMembers(await readJson(request))
      return answer(200, organization(await organizations.rename(context, name)))
    }),
  ])
}

function presenterOf(envelope: string | undefined) {
  const body = bodiesOf(envelope)
  return {
    listed: (organizations) => body('organizations', organizations.map(shown)),
    organization: (organization) => body('organization', shown(organization)),
  } satisfies OrganizationPresenter
}

function shown({ org: { id, name }, role }: ActingOrg<NamedOrganization>): unknown {
  return { id, name, role }
}

const NAME = 'createOrganizationRoutes'
// A function: what a host does not use must not stay in its bundle.
const shape = <O extends NamedOrganization>(): Shape<OrganizationRoutesOptions<O>> => ({
  path: optional(aRoutePathAbove('id')),
  selectors: optional(aListOf(anOrgSelector())),
  envelope: optional(aName()),
  present: optional(
    aGroup<OrganizationPresenter<O>>({ listed: optional(aFunction()), organization: optional(aFunction()) }),
  ),
})
