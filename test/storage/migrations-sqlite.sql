CREATE TABLE IF NOT EXISTS "sallyport_migrations" (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
) STRICT;

-- 1: users, organizations, memberships, invitations

CREATE TABLE "organizations" (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
) STRICT;

CREATE TABLE "users" (
  id TEXT NOT NULL PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  org_id TEXT REFERENCES "organizations" (id) ON DELETE SET NULL,
  role TEXT,
  joined_at INTEGER
) STRICT;

CREATE UNIQUE INDEX "users_identity" ON "users" (issuer, subject);

CREATE INDEX "users_org" ON "users" (org_id, joined_at, id) WHERE org_id IS NOT NULL;

CREATE TABLE "memberships" (
  user_id TEXT NOT NULL REFERENCES "users" (id) ON DELETE CASCADE,
  org_id TEXT NOT NULL REFERENCES "organizations" (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  joined_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  PRIMARY KEY (user_id, org_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX "memberships_joined" ON "memberships" (user_id, joined_at, org_id, role);

CREATE INDEX "memberships_members" ON "memberships" (org_id, joined_at, user_id, role);

CREATE TABLE "invitations" (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES "organizations" (id) ON DELETE CASCADE,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  UNIQUE (org_id, email)
) STRICT;

CREATE INDEX "invitations_email" ON "invitations" (email, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (1, 'users, organizations, memberships, invitations');

-- 2: API keys

CREATE TABLE "api_keys" (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT REFERENCES "organizations" (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  scopes TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  previous_secret_hash TEXT,
  previous_until INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

CREATE INDEX "api_keys_org" ON "api_keys" (org_id, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (2, 'API keys');

-- 3: local login

CREATE TABLE "login_accounts" (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT,
  role TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  session_version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
) STRICT;

CREATE INDEX "login_accounts_role" ON "login_accounts" (role, id) WHERE NOT disabled;

CREATE TABLE "login_first_admin" (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  claimed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE "login_revoked_sessions" (
  id TEXT NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX "login_revoked_sessions_expires" ON "login_revoked_sessions" (expires_at);

CREATE TABLE "login_throttle" (
  key TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX "login_throttle_expires" ON "login_throttle" (expires_at);

CREATE INDEX "login_throttle_used" ON "login_throttle" (used_at);

INSERT INTO "sallyport_migrations" (id, name) VALUES (3, 'local login');

-- 4: machines

CREATE TABLE "machines" (
  id TEXT NOT NULL PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  name TEXT NOT NULL,
  org_id TEXT REFERENCES "organizations" (id) ON DELETE CASCADE,
  role TEXT,
  permissions TEXT,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  UNIQUE (issuer, subject)
) STRICT;

CREATE INDEX "machines_org" ON "machines" (org_id, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (4, 'machines');

-- 5: invitations that expire, and who sent them

ALTER TABLE "invitations" ADD COLUMN invited_by TEXT;

ALTER TABLE "invitations" ADD COLUMN expires_at INTEGER;

ALTER TABLE "invitations" ADD COLUMN secret_hash TEXT;

CREATE UNIQUE INDEX "invitations_secret" ON "invitations" (secret_hash);

CREATE INDEX "invitations_inviter" ON "invitations" (invited_by);

INSERT INTO "sallyport_migrations" (id, name) VALUES (5, 'invitations that expire, and who sent them');

-- 6: API keys by their makers

CREATE INDEX "api_keys_maker" ON "api_keys" (created_by, created_at, id);

INSERT INTO "sallyport_migrations" (id, name) VALUES (6, 'API keys by their makers');
