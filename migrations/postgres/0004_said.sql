-- What was said in an exchange, where the operator wants it kept. JSON as text; what is absent is empty. By month like the
-- entries, and forgotten with them.
CREATE TABLE spend_said (
    started_at BIGINT NOT NULL,
    id         TEXT NOT NULL,
    request    TEXT NOT NULL,
    response   TEXT NOT NULL,
    PRIMARY KEY (started_at, id)
) PARTITION BY RANGE (started_at);

CREATE TABLE spend_said_default PARTITION OF spend_said DEFAULT;
