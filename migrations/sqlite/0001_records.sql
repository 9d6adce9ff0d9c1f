-- What admins keep. Each kind has the same columns: `document` is the record as JSON, `version` counts its changes, and
-- the columns between `id` and `document` are copies of what lists are filtered by. Times are microseconds since 1970.

-- Virtual keys. The key text is never stored; the id is its SHA-256.
CREATE TABLE virtual_key (
    id              TEXT PRIMARY KEY,
    alias           TEXT UNIQUE,
    user_id         TEXT,
    team_id         TEXT,
    organization_id TEXT,
    budget_id       TEXT,
    document        TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT,
    updated_at      BIGINT NOT NULL,
    updated_by      TEXT
);
CREATE INDEX virtual_key_user_id ON virtual_key (user_id);
CREATE INDEX virtual_key_team_id ON virtual_key (team_id);
CREATE INDEX virtual_key_organization_id ON virtual_key (organization_id);
CREATE INDEX virtual_key_budget_id ON virtual_key (budget_id);
CREATE INDEX virtual_key_created ON virtual_key (created_at, id);

-- Hashes of key texts that were changed for new ones and may still be used.
CREATE TABLE former_key (
    id         TEXT PRIMARY KEY,
    current    TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX former_key_current ON former_key (current);

CREATE TABLE team (
    id              TEXT PRIMARY KEY,
    alias           TEXT,
    organization_id TEXT,
    document        TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT,
    updated_at      BIGINT NOT NULL,
    updated_by      TEXT
);
CREATE INDEX team_alias ON team (alias);
CREATE INDEX team_organization_id ON team (organization_id);
CREATE INDEX team_created ON team (created_at, id);

CREATE TABLE team_member (
    id         TEXT PRIMARY KEY,
    team_id    TEXT,
    user_id    TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX team_member_team_id ON team_member (team_id);
CREATE INDEX team_member_user_id ON team_member (user_id);

CREATE TABLE internal_user (
    id         TEXT PRIMARY KEY,
    email      TEXT,
    sso_id     TEXT UNIQUE,
    role       TEXT,
    alias      TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX internal_user_email ON internal_user (email);
CREATE INDEX internal_user_created ON internal_user (created_at, id);

CREATE TABLE organization (
    id         TEXT PRIMARY KEY,
    alias      TEXT,
    budget_id  TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX organization_alias ON organization (alias);
CREATE INDEX organization_budget_id ON organization (budget_id);

CREATE TABLE organization_member (
    id              TEXT PRIMARY KEY,
    organization_id TEXT,
    user_id         TEXT,
    document        TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT,
    updated_at      BIGINT NOT NULL,
    updated_by      TEXT
);
CREATE INDEX organization_member_organization_id ON organization_member (organization_id);
CREATE INDEX organization_member_user_id ON organization_member (user_id);

CREATE TABLE customer (
    id         TEXT PRIMARY KEY,
    alias      TEXT,
    budget_id  TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX customer_alias ON customer (alias);
CREATE INDEX customer_budget_id ON customer (budget_id);
CREATE INDEX customer_created ON customer (created_at, id);

CREATE TABLE budget (
    id         TEXT PRIMARY KEY,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);

CREATE TABLE tag (
    id         TEXT PRIMARY KEY,
    budget_id  TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX tag_budget_id ON tag (budget_id);

-- Models and credentials that were made over the API; what is secret in them is sealed.
CREATE TABLE model (
    id         TEXT PRIMARY KEY,
    name       TEXT,
    team_id    TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX model_name ON model (name);
CREATE INDEX model_team_id ON model (team_id);

CREATE TABLE credential (
    id         TEXT PRIMARY KEY,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);

-- Sections of the configuration that were changed over the API.
CREATE TABLE setting (
    id         TEXT PRIMARY KEY,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);

CREATE TABLE invitation (
    id         TEXT PRIMARY KEY,
    user_id    TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX invitation_user_id ON invitation (user_id);
-- Who changed what, from what to what. Secrets are gone before it is written.
CREATE TABLE audit_log (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    key_hash   TEXT NOT NULL,
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    before     TEXT NOT NULL,
    after      TEXT NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at, id);
CREATE INDEX audit_log_object ON audit_log (object_id, at);

-- What replicas that hear of no notification look at. Rows of the last minutes only.
CREATE TABLE record_change (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    at   BIGINT NOT NULL,
    kind TEXT NOT NULL,
    id   TEXT NOT NULL
);
CREATE INDEX record_change_at ON record_change (at);
