-- Virtual keys. The key text is never stored; `hash` is its SHA-256.
CREATE TABLE virtual_key (
    hash        TEXT PRIMARY KEY,
    masked      TEXT NOT NULL,
    alias       TEXT UNIQUE,
    user_id     TEXT,
    team_id     TEXT,
    models      TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    max_budget  INTEGER,
    expires_at  INTEGER,
    blocked     INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    created_by  TEXT
);

-- One row per exchange. `started_at` comes from the journal, so a replay conflicts with what is there.
CREATE TABLE spend_entry (
    started_at    INTEGER NOT NULL,
    id            TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    provider_id   TEXT,
    status        TEXT NOT NULL,
    key_hash      TEXT,
    user_id       TEXT,
    team_id       TEXT,
    end_user      TEXT,
    model_group   TEXT NOT NULL,
    cost          INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (started_at, id)
);


CREATE INDEX spend_entry_key ON spend_entry (key_hash, started_at);
CREATE INDEX spend_entry_call ON spend_entry (call_id);
CREATE INDEX spend_entry_provider ON spend_entry (provider_id);

-- Sums by day (UTC, days since 1970), raised in the transaction of the entries. Absent values are ''.
CREATE TABLE spend_daily (
    day           INTEGER NOT NULL,
    key_hash      TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    team_id       TEXT NOT NULL,
    model_group   TEXT NOT NULL,
    cost          INTEGER NOT NULL,
    requests      INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    PRIMARY KEY (day, key_hash, user_id, team_id, model_group)
);
CREATE INDEX spend_daily_key ON spend_daily (key_hash);
