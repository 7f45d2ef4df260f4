/** The table of invitations. */
export const INVITES_SQL: string = `
CREATE TABLE invite (
  invite_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  company_no bigint NOT NULL REFERENCES company,
  mail text COLLATE "C" NOT NULL,
  position text COLLATE "C" NOT NULL,
  invited_by bigint,
  sent_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  secret_hash text COLLATE "C" UNIQUE,
  UNIQUE (mail, company_no)
);
CREATE INDEX invites_of_company ON invite (company_no);
`
