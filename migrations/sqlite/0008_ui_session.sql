-- Browsers that somebody has signed in with. `id` is the hash of the token; `expires_at` text of twenty digits, which
-- sorts as it counts.
CREATE TABLE ui_session (
    id         TEXT PRIMARY KEY,
    user_id    TEXT,
    expires_at TEXT,
    document   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);
CREATE INDEX ui_session_user_id ON ui_session (user_id);
CREATE INDEX ui_session_expires_at ON ui_session (expires_at);
