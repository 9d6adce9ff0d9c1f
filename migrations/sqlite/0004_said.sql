-- What was said in an exchange, where the operator wants it kept. JSON as text; what is absent is empty. Forgotten with
-- the entry.
CREATE TABLE spend_said (
    started_at INTEGER NOT NULL,
    id         TEXT NOT NULL,
    request    TEXT NOT NULL,
    response   TEXT NOT NULL,
    PRIMARY KEY (started_at, id)
) WITHOUT ROWID;
