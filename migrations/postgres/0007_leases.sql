-- Slices of budgets that processes hold: `spent.leased` is their sum. What is booked and what is leased is never more
-- than the budget.
ALTER TABLE spent ADD COLUMN leased BIGINT NOT NULL DEFAULT 0;

CREATE TABLE lease (
    instance TEXT NOT NULL,
    scope    TEXT NOT NULL,
    id       TEXT NOT NULL,
    granted  BIGINT NOT NULL,
    PRIMARY KEY (instance, scope, id)
);

-- Processes that hold some, and when each was heard of last (microseconds since 1970).
CREATE TABLE instance (
    id      TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
