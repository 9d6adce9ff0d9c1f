-- Responses of OpenAI's Responses API that a provider without one answered. `sealed` holds what was said, encrypted.
CREATE TABLE response_state (
    id            TEXT PRIMARY KEY,
    owner         TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    model         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    sealed        BLOB NOT NULL
);
CREATE INDEX response_state_expiry ON response_state (expires_at);
