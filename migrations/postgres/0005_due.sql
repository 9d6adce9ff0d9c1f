-- What falls due by itself: keys that are rotated, budgets that begin again. Moments as text of twenty digits, which
-- sort as they count.
ALTER TABLE virtual_key ADD COLUMN rotates_at TEXT;
ALTER TABLE virtual_key ADD COLUMN resets_at TEXT;
ALTER TABLE team ADD COLUMN resets_at TEXT;
ALTER TABLE internal_user ADD COLUMN resets_at TEXT;
ALTER TABLE budget ADD COLUMN resets_at TEXT;
CREATE INDEX virtual_key_rotates ON virtual_key (rotates_at) WHERE rotates_at IS NOT NULL;
CREATE INDEX virtual_key_resets ON virtual_key (resets_at) WHERE resets_at IS NOT NULL;
CREATE INDEX team_resets ON team (resets_at) WHERE resets_at IS NOT NULL;
CREATE INDEX internal_user_resets ON internal_user (resets_at) WHERE resets_at IS NOT NULL;
CREATE INDEX budget_resets ON budget (resets_at) WHERE resets_at IS NOT NULL;

UPDATE virtual_key SET resets_at = LPAD(document::json ->> 'budget_reset_at', 20, '0')
    WHERE document::json ->> 'budget_reset_at' IS NOT NULL;
UPDATE virtual_key SET rotates_at = LPAD(document::json -> 'rotation' ->> 'next_at', 20, '0')
    WHERE document::json -> 'rotation' ->> 'next_at' IS NOT NULL AND document::json -> 'rotation' ->> 'auto' = 'true';
UPDATE team SET resets_at = LPAD(document::json ->> 'budget_reset_at', 20, '0')
    WHERE document::json ->> 'budget_reset_at' IS NOT NULL;
UPDATE internal_user SET resets_at = LPAD(document::json ->> 'budget_reset_at', 20, '0')
    WHERE document::json ->> 'budget_reset_at' IS NOT NULL;
UPDATE budget SET resets_at = LPAD(document::json ->> 'budget_reset_at', 20, '0')
    WHERE document::json ->> 'budget_reset_at' IS NOT NULL;

-- Members are found by their budget.
ALTER TABLE team_member ADD COLUMN budget_id TEXT;
CREATE INDEX team_member_budget_id ON team_member (budget_id);
UPDATE team_member SET budget_id = document::json ->> 'budget_id';

-- When counting began anew: what was admitted before and is booked later belongs to the period before.
ALTER TABLE spent ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
CREATE INDEX spent_since ON spent (since) WHERE since > 0;
