/**
 * A schema that was there before sallyport: other names, whole numbers for ids, the ids of one login provider, rows that are
 * never deleted but marked. Added for sallyport: what is unique, and a view of who is on the staff of an open company.
 */
import type { IdentityKey } from 'sallyport'

/** The tables. */
export const SCHEMA_SQL: string = `
CREATE TABLE person (
  person_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login text COLLATE "C" UNIQUE,
  mail text,
  locked boolean NOT NULL DEFAULT false,
  deleted_at timestamptz
);
CREATE TABLE company (
  company_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title text NOT NULL,
  closed_at timestamptz
);
CREATE TABLE staff (
  company_no bigint NOT NULL REFERENCES company,
  person_no bigint NOT NULL REFERENCES person,
  position text COLLATE "C" NOT NULL,
  since timestamptz(3) NOT NULL,
  left_at timestamptz
);
CREATE UNIQUE INDEX staff_now ON staff (person_no, company_no) WHERE left_at IS NULL;
CREATE INDEX staff_of_company ON staff (company_no) WHERE left_at IS NULL;
CREATE VIEW on_staff AS SELECT company_no, title, person_no, position, since
  FROM staff JOIN company USING (company_no) WHERE left_at IS NULL AND closed_at IS NULL;
`

/** The number that an id is, or 0, which no row has: an id that a bigint can't hold finds nothing. */
export function toNumber(id: string): string {
  return /^[1-9][0-9]{0,18}$/.test(id) && BigInt(id) <= 9_223_372_036_854_775_807n ? id : '0'
}

/** Text as PostgreSQL keeps it, or `null`: what it doesn't keep exactly, finds nothing. */
export function toStored(text: string): string | null {
  return text.length <= 255 && !/[\0\p{Cs}]/u.test(text) ? text : null
}

/** Text to be written; what PostgreSQL doesn't keep exactly, is refused. */
export function toText(text: string): string {
  const stored = toStored(text)
  if (stored === null) throw new TypeError('the text must be well-formed, of at most 255 characters')
  return stored
}

/** A title to be written, as near to the name as PostgreSQL keeps it. */
export function toTitle(name: string): string {
  return name.slice(0, 255).replace(/[\0\p{Cs}]/gu, '\ufffd')
}

/** The login of an identity; `null`, which finds nobody, for another issuer's. */
export function loginOf(identity: IdentityKey, issuer: string): string | null {
  return identity.issuer === issuer ? toStored(identity.subject) : null
}

/** The login of an identity, to be written. */
export function toLogin(identity: IdentityKey, issuer: string): string {
  if (identity.issuer !== issuer) throw new TypeError(`logins are those of ${issuer}`)
  return toText(identity.subject)
}
