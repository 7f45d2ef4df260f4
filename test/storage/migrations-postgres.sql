CREATE TABLE IF NOT EXISTS "sallyport_migrations" (
  id integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz(3) NOT NULL DEFAULT now()
);

-- 1: users, organizations, memberships, invitations

CREATE TABLE "organizations" (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE "users" (
  id uuid PRIMARY KEY,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  email text COLLATE "C",
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  org_id uuid REFERENCES "organizations" (id) ON DELETE SET NULL,
  role text COLLATE "C",
  joined_at timestamptz(3)
);

CREATE UNIQUE INDEX "users_identity" ON "users" (issuer, subject)
  INCLUDE (id, email, disabled, created_at, org_id, role);

CREATE INDEX "users_org" ON "users" (org_id, joined_at, id) WHERE org_id IS NOT NULL;

CREATE TABLE "memberships" (
  user_id uuid NOT NULL REFERENCES "users" (id) ON DELETE CASCADE,
  org_id uuid NOT NULL REFERENCES "organizations" (id) ON DELETE CASCADE,
  role text COLLATE "C" NOT NULL,
  joined_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, org_id) INCLUDE (role)
);

CREATE INDEX "memberships_joined" ON "memberships" (user_id, joined_at, org_id) INCLUDE (role);

CREATE INDEX "memberships_members" ON "memberships" (org_id, joined_at, user_id) INCLUDE (role);

CREATE TABLE "invitations" (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES "organizations" (id) ON DELETE CASCADE,
  email text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (org_id, email)
);

CREATE INDEX "invitations_email" ON "invitations" (email, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (1, 'users, organizations, memberships, invitations');

-- 2: API keys

CREATE TABLE "api_keys" (
  id text COLLATE "C" PRIMARY KEY,
  org_id uuid REFERENCES "organizations" (id) ON DELETE CASCADE,
  name text NOT NULL,
  role text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  secret_hash text NOT NULL,
  previous_secret_hash text,
  previous_until timestamptz(3),
  created_by text,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3)
);

CREATE INDEX "api_keys_org" ON "api_keys" (org_id, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (2, 'API keys');

-- 3: local login

CREATE TABLE "login_accounts" (
  id uuid PRIMARY KEY,
  email text COLLATE "C" NOT NULL UNIQUE,
  password_hash text,
  role text COLLATE "C" NOT NULL,
  disabled boolean NOT NULL DEFAULT false,
  session_version integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE INDEX "login_accounts_role" ON "login_accounts" (role, id) WHERE NOT disabled;

CREATE TABLE "login_first_admin" (
  id integer PRIMARY KEY CHECK (id = 1),
  claimed_at timestamptz(3) NOT NULL
);

CREATE TABLE "login_revoked_sessions" (
  id text COLLATE "C" PRIMARY KEY,
  expires_at timestamptz(3) NOT NULL
);

CREATE INDEX "login_revoked_sessions_expires" ON "login_revoked_sessions" (expires_at);

CREATE TABLE "login_throttle" (
  key text COLLATE "C" PRIMARY KEY,
  state text NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3) NOT NULL
);

CREATE INDEX "login_throttle_expires" ON "login_throttle" (expires_at);

CREATE INDEX "login_throttle_used" ON "login_throttle" (used_at);

INSERT INTO "sallyport_migrations" (id, name) VALUES (3, 'local login');

-- 4: machines

CREATE TABLE "machines" (
  id uuid PRIMARY KEY,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  org_id uuid REFERENCES "organizations" (id) ON DELETE CASCADE,
  role text COLLATE "C",
  permissions text,
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (issuer, subject)
);

CREATE INDEX "machines_org" ON "machines" (org_id, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (4, 'machines');

-- 5: invitations that expire, and who sent them

ALTER TABLE "invitations" ADD COLUMN invited_by uuid;

ALTER TABLE "invitations" ADD COLUMN expires_at timestamptz(3);

ALTER TABLE "invitations" ADD COLUMN secret_hash text COLLATE "C";

CREATE UNIQUE INDEX "invitations_secret" ON "invitations" (secret_hash);

CREATE INDEX "invitations_inviter" ON "invitations" (invited_by);

INSERT INTO "sallyport_migrations" (id, name) VALUES (5, 'invitations that expire, and who sent them');

-- 6: API keys by their makers

CREATE INDEX "api_keys_maker" ON "api_keys" (created_by, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (6, 'API keys by their makers');
