-- One row per exchange. `started_at` comes from the journal, so a replay conflicts with what is there.
CREATE TABLE spend_entry (
    started_at      BIGINT NOT NULL,
    id              TEXT NOT NULL,
    call_id         TEXT NOT NULL,
    provider_id     TEXT,
    status          TEXT NOT NULL,
    key_hash        TEXT,
    user_id         TEXT,
    team_id         TEXT,
    organization_id TEXT,
    session_id      TEXT,
    end_user        TEXT,
    model_group     TEXT NOT NULL,
    cost            BIGINT NOT NULL,
    detail          TEXT NOT NULL,
    PRIMARY KEY (started_at, id)
);

CREATE INDEX spend_entry_key ON spend_entry (key_hash, started_at);
CREATE INDEX spend_entry_call ON spend_entry (call_id);
CREATE INDEX spend_entry_provider ON spend_entry (provider_id);
-- Of what most entries do not have, only those that have it.
CREATE INDEX spend_entry_team ON spend_entry (team_id, started_at) WHERE team_id IS NOT NULL;
CREATE INDEX spend_entry_customer ON spend_entry (end_user, started_at) WHERE end_user IS NOT NULL;
CREATE INDEX spend_entry_session ON spend_entry (session_id) WHERE session_id IS NOT NULL;

-- Sums by day (UTC, days since 1970), raised in the transaction of the entries. Absent values are ''.
CREATE TABLE spend_daily (
    day           BIGINT NOT NULL,
    key_hash      TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    team_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    model_group   TEXT NOT NULL,
    model         TEXT NOT NULL,
    provider      TEXT NOT NULL,
    call_type     TEXT NOT NULL,
    cost          BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read    BIGINT NOT NULL,
    cache_write   BIGINT NOT NULL,
    PRIMARY KEY (day, key_hash, user_id, team_id, organization_id, model_group, model, provider, call_type)
);
CREATE INDEX spend_daily_key ON spend_daily (key_hash, day);
CREATE INDEX spend_daily_team ON spend_daily (team_id, day);
CREATE INDEX spend_daily_user ON spend_daily (user_id, day);

-- The same by tag; an entry counts for each of its tags.
CREATE TABLE spend_daily_tag (
    day           BIGINT NOT NULL,
    tag           TEXT NOT NULL,
    key_hash      TEXT NOT NULL,
    model_group   TEXT NOT NULL,
    provider      TEXT NOT NULL,
    cost          BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read    BIGINT NOT NULL,
    cache_write   BIGINT NOT NULL,
    PRIMARY KEY (day, tag, key_hash, model_group, provider)
);
CREATE INDEX spend_daily_tag_tag ON spend_daily_tag (tag, day);

-- The same by customer.
CREATE TABLE spend_daily_customer (
    day           BIGINT NOT NULL,
    customer      TEXT NOT NULL,
    key_hash      TEXT NOT NULL,
    model_group   TEXT NOT NULL,
    provider      TEXT NOT NULL,
    cost          BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read    BIGINT NOT NULL,
    cache_write   BIGINT NOT NULL,
    PRIMARY KEY (day, customer, key_hash, model_group, provider)
);
CREATE INDEX spend_daily_customer_customer ON spend_daily_customer (customer, day);

-- Everything ever booked under one id of a scope. What is shown is `total - base`; a reset raises `base` to `total`, so
-- that it never meets an increment half way. What is still booked under an id that was given up (requests under way when
-- a key was regenerated) counts under `heir`.
CREATE TABLE spent (
    scope TEXT NOT NULL,
    id    TEXT NOT NULL,
    total BIGINT NOT NULL,
    base  BIGINT NOT NULL DEFAULT 0,
    heir  TEXT,
    PRIMARY KEY (scope, id)
);
CREATE INDEX spent_heir ON spent (scope, heir) WHERE heir IS NOT NULL;
