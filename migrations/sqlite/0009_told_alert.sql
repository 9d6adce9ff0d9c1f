-- What was told to somebody outside, so that replicas tell it once together. Microseconds; it may be told again at `until`.
CREATE TABLE told_alert (
    name    TEXT PRIMARY KEY,
    told_at BIGINT NOT NULL,
    until   BIGINT NOT NULL
);
