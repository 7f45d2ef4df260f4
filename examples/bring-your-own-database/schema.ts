/**
 * A schema that was there before sallyport: other names, whole numbers for ids, rows that are never deleted but marked.
 * Added for sallyport: the two login columns, and indexes that say what is unique.
 */
import type { Generated } from 'kysely'

/** The tables, as Kysely knows them; PostgreSQL's driver hands out a bigint as text. */
export interface Schema {
  person: {
    person_no: Generated<string>
    login_issuer: string
    login_subject: string
    mail: string | null
    locked: Generated<boolean>
    deleted_at: Date | null
  }
  company: { company_no: Generated<string>; title: string; closed_at: Date | null }
  staff: {
    company_no: string
    person_no: string
    position: string
    since: Date
    left_at: Date | null
  }
  invite: {
    invite_no: Generated<string>
    company_no: string
    mail: string
    position: string
    sent_at: Date
    accepted_at: Date | null
  }
}

/** The same in SQL. */
export const SCHEMA_SQL: string = `
CREATE TABLE person (
  person_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login_issuer text COLLATE "C" NOT NULL,
  login_subject text COLLATE "C" NOT NULL,
  mail text,
  locked boolean NOT NULL DEFAULT false,
  deleted_at timestamptz,
  UNIQUE (login_issuer, login_subject)
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
CREATE TABLE invite (
  invite_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  company_no bigint NOT NULL REFERENCES company,
  mail text COLLATE "C" NOT NULL,
  position text COLLATE "C" NOT NULL,
  sent_at timestamptz(3) NOT NULL,
  accepted_at timestamptz
);
CREATE UNIQUE INDEX invite_pending ON invite (mail, company_no) WHERE accepted_at IS NULL;
`

/** Whether there can be a row of this number: what a bigint can't hold finds nothing. */
export function isNumber(id: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(id) && BigInt(id) <= 9_223_372_036_854_775_807n
}

/** Whether PostgreSQL keeps this text exactly as it is. */
export function isStorable(text: string): boolean {
  return text.length <= 255 && !/[\0\p{Cs}]/u.test(text)
}
