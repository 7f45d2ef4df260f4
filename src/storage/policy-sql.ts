/** The SQL that makes PostgreSQL enforce the acting organization on a host's own table: printed, for the host to run. */
import { oneOf, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { aRoleName, type ScopeSettings, SETTING_NAMES, SETTINGS } from './org-scope.ts'
import { anIdentifier, withDefaults } from './sql-names.ts'

/** Options of {@link policySql}. */
export interface PolicySqlOptions {
  /** The host's table. */
  readonly table: string
  /** Its schema. Default: the first of the connection's search path. */
  readonly schema?: string | undefined
  /** The column that holds the organization's id. */
  readonly column: string
  /** The column's type. Default `uuid`. */
  readonly type?: 'uuid' | 'text' | 'bigint' | 'integer' | undefined
  /**
   * The role of org-scoped statements: it is granted what rows need (on the table, its sequences and its schema), and the
   * policy is for it alone. Default: the policy is for every role, nothing is granted.
   */
  readonly role?: string | undefined
  /**
   * What {@link withSystemScope} may do with the table's rows: `all`, or `none`, so that only a role that bypasses
   * policies can. There is no default.
   */
  readonly system: 'all' | 'none'
  /** The role the system acts as. Default: the one that runs this SQL, usually the table's owner. */
  readonly systemRole?: string | undefined
  /** Other names of the settings, each one left out the default: the ones `withOrgScope` is given. */
  readonly settings?: ScopeSettings | undefined
}

/**
 * Write the statements that enable and force row-level security on a table, and its policies: rows of the acting
 * organization can be seen and written, no others; without a scope none. Writing into another organization is refused by
 * the database (42501). Forced means that the owner is bound too; superusers and roles with BYPASSRLS never are.
 * Can be run again. Policies of one table add up: one of your own that lets more through, lets it through.
 *
 * @throws OptionsError
 * @example
 * await pool.query(policySql({ table: 'contacts', column: 'org_id', role: 'tenant', system: 'none' }))
 */
export function policySql(options: PolicySqlOptions): string {
  const { table, schema, column, type = 'uuid', role, system, ...more } = parseOptions('policySql', SHAPE, options)
  const { orgId, scope } = withDefaults(SETTING_NAMES, more.settings)
  const on = schema === undefined ? `"${table}"` : `"${schema}"."${table}"`
  const own = `"${column}" = NULLIF(current_setting('${orgId}', true), '')::${type}`
  const bySystem = `current_setting('${scope}', true) = 'system'`
  const [tenant, owner] = [quoted(role, 'PUBLIC'), quoted(more.systemRole, 'CURRENT_USER')]
  return [
    `ALTER TABLE ${on} ENABLE ROW LEVEL SECURITY;`,
    `ALTER TABLE ${on} FORCE ROW LEVEL SECURITY;`,
    ...policy(`"${table}_of_org" ON ${on}`, tenant, own),
    ...policy(`"${table}_by_system" ON ${on}`, owner, system === 'none' ? null : bySystem),
    ...(role === undefined ? [] : grants(on, role)),
    '',
  ].join('\n')
}

function quoted(role: string | undefined, otherwise: string): string {
  return role === undefined ? otherwise : `"${role}"`
}

// Without a condition there is none any more.
function policy(name: string, to: string, condition: string | null): string[] {
  const drop = `DROP POLICY IF EXISTS ${name};`
  if (condition === null) return [drop]
  return [drop, `CREATE POLICY ${name} FOR ALL TO ${to}\n  USING (${condition})\n  WITH CHECK (${condition});`]
}

/**
 * Write the statements that make a role which obeys policies and can't log in, and let the role that runs them take it
 * (`SET LOCAL ROLE`). Can be run again, and by several instances at once: roles belong to the whole cluster, so that two
 * databases may meet in one; who comes second finds it made.
 *
 * @param role letters, digits and underscores, at most 63
 * @throws OptionsError for a name that is malformed or PostgreSQL's own
 * @example
 * await pool.query(roleSql('tenant'))
 */
export function roleSql(role: string): string {
  parseOptions('roleSql', { role: aRoleName() }, { role })
  return `DO $sallyport$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
    CREATE ROLE "${role}" NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$sallyport$;
DO $sallyport$
BEGIN
  IF NOT pg_has_role(current_user, '${role}', CASE WHEN current_setting('server_version_num')::int < 160000
    THEN 'MEMBER' ELSE 'SET' END) THEN
    GRANT "${role}" TO CURRENT_USER;
  END IF;
-- Another instance grants it at this moment: a unique violation, or "tuple concurrently updated".
EXCEPTION WHEN unique_violation OR internal_error THEN NULL;
END
$sallyport$;
`
}

// The schema is that which the search path finds the table in. Asked first, because granting wants more rights than having.
function grants(on: string, role: string): string[] {
  return [
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${on} TO "${role}";`,
    `DO $sallyport$
DECLARE
  owned record;
  home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = '${on}'::regclass);
BEGIN
  IF NOT has_schema_privilege('${role}', home, 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO "${role}"', home);
  END IF;
  FOR owned IN SELECT s.oid::regclass AS name FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = '${on}'::regclass
  LOOP
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO "${role}"', owned.name);
  END LOOP;
END
$sallyport$;`,
  ]
}

const SHAPE: Shape<PolicySqlOptions> = {
  table: anIdentifier(),
  schema: optional(anIdentifier()),
  column: anIdentifier(),
  type: optional(oneOf('uuid', 'text', 'bigint', 'integer')),
  role: optional(aRoleName()),
  system: oneOf('all', 'none'),
  systemRole: optional(aRoleName()),
  settings: SETTINGS,
}
