/** What a scope is named by in the database: settings and roles, the host's choice, checked once. */
import * as z from 'zod/mini'
import { aGroup, type Complete, parseOptions } from '../lib/parse-options.ts'

/** Names of the settings that a scope binds. */
export interface ScopeSettings {
  /** The acting user's id; empty for an API key, a service and the system. Default `app.user_id`. */
  readonly userId?: string | undefined
  /** The acting organization's id; empty for the system. Default `app.org_id`. */
  readonly orgId?: string | undefined
  /** The role in it; empty where there is none. Default `app.role`. */
  readonly role?: string | undefined
  /** `org` or `system`. Default `app.scope`. */
  readonly scope?: string | undefined
}

/** Options of {@link withOrgScope} and {@link withSystemScope}; the same value for all of an app. */
export interface OrgScopeOptions {
  /**
   * The database role of org-scoped statements (`SET LOCAL ROLE`): one without BYPASSRLS, made by {@link roleSql}.
   * Default: the connection's own, which then has to be such a one.
   */
  readonly role?: string | undefined
  /** The database role of the system's statements. Default: the connection's own. */
  readonly systemRole?: string | undefined
  /** Other names of the settings, each one left out the default: the ones the policies were written with. */
  readonly settings?: ScopeSettings | undefined
}

/** The options with their defaults. */
export interface ParsedScopeOptions {
  readonly role: string | undefined
  readonly systemRole: string | undefined
  readonly settings: Complete<ScopeSettings>
}

const DEFAULTS: Complete<ScopeSettings> = {
  userId: 'app.user_id',
  orgId: 'app.org_id',
  role: 'app.role',
  scope: 'app.scope',
}

// PostgreSQL takes a setting of one's own only with a dot in its name.
const SETTING = /^[A-Za-z_][A-Za-z0-9_]{0,30}\.[A-Za-z_][A-Za-z0-9_]{0,30}$/
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

function aSetting(): z.ZodMiniOptional<z.ZodMiniCustom<string, string>> {
  return z.optional(
    z.custom<string>((value) => typeof value === 'string' && SETTING.test(value), 'must be a name such as app.org_id'),
  )
}

/** A name that PostgreSQL takes as it is: letters, digits and underscores, at most 63. */
export function aRoleName(): z.ZodMiniCustom<string, string> {
  return z.custom<string>(
    (value) => typeof value === 'string' && NAME.test(value) && !/^(pg_|none$|public$)/i.test(value),
    'must be a name of letters, digits and underscores, at most 63, that PostgreSQL does not keep for itself',
  )
}

/** The shape of the option `settings`. */
export const SETTINGS_SHAPE: z.ZodMiniOptional<z.ZodMiniType<ScopeSettings>> = z.optional(
  aGroup({ userId: aSetting(), orgId: aSetting(), role: aSetting(), scope: aSetting() }) as never,
)

const SHAPE = {
  role: z.optional(aRoleName()),
  systemRole: z.optional(aRoleName()),
  settings: SETTINGS_SHAPE,
}

// A host hands in one value with every call: it is read once.
const KNOWN = new WeakMap<OrgScopeOptions, ParsedScopeOptions>()

/** Parse the options; throws `TypeError`. */
export function parseScopeOptions(name: string, options: OrgScopeOptions): ParsedScopeOptions {
  const known = typeof options === 'object' && options !== null ? KNOWN.get(options) : undefined
  if (known !== undefined) return known
  const { role, systemRole, settings } = parseOptions(name, SHAPE, options)
  const parsed = { role, systemRole, settings: completeSettings(name, settings) }
  KNOWN.set(options, parsed)
  return parsed
}

/** Complete the settings' names; throws `TypeError` where two are one. */
export function completeSettings(name: string, settings: ScopeSettings = {}): Complete<ScopeSettings> {
  const given = Object.entries(settings).filter(([, each]) => each !== undefined)
  const complete = { ...DEFAULTS, ...(Object.fromEntries(given) as Partial<Complete<ScopeSettings>>) }
  if (new Set(Object.values(complete).map((each) => each.toLowerCase())).size < Object.keys(DEFAULTS).length) {
    throw new TypeError(`${name}: option "settings" gives two settings one name`)
  }
  return complete
}
