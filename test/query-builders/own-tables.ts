/** Tables of one's own with whole numbers for ids, as the page on them has them, and what the contract suites need beside them. */
import type pg from 'pg'
import type { ContractOptions, StorageUnderTest } from 'sallyport/testing'

export const TABLES_SQL: string = `
CREATE TABLE users (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text,
  disabled_at timestamptz,
  issuer text COLLATE "C",
  subject text COLLATE "C",
  UNIQUE (issuer, subject)
);
CREATE TABLE teams (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  closed_at timestamptz
);
CREATE TABLE team_members (
  user_id integer NOT NULL REFERENCES users,
  team_id integer NOT NULL REFERENCES teams,
  role text NOT NULL,
  joined_at timestamptz(3) NOT NULL,
  PRIMARY KEY (user_id, team_id)
);`

/** How users are disabled and teams closed here. */
export const probeOf = (pool: pg.Pool): NonNullable<StorageUnderTest['probe']> => ({
  disableUser: (id) => pool.query('UPDATE users SET disabled_at = now() WHERE id = $1', [id]),
  deleteOrg: (id) => pool.query('UPDATE teams SET closed_at = now() WHERE id = $1', [id]),
})

/** An `AuthStorage` and no more. */
export const CONTRACT: ContractOptions = {
  newId: () => String(2_000_000_000 + Math.floor(Math.random() * 147_000_000)),
  without: ['userAdmin', 'organizationAdmin', 'membershipAdmin', 'invitations', 'setEmail', 'apiKeys', 'givenOrgIds'],
}
