-- Two teams, four keys (one without a team, one since deleted), three models, for thirty days up to today.
SET search_path TO weir;

INSERT INTO organization (id, alias, document, version, created_at, updated_at) VALUES ('o1', 'Works', '{}', 1, 0, 0);
INSERT INTO team (id, alias, organization_id, document, version, created_at, updated_at) VALUES
    ('t1', 'engineering', 'o1', '{"max_budget": 100000000000, "budget_duration": "30d", "budget_reset_at": 1893456000000000}', 1, 0, 0),
    ('t2', 'it''s research', NULL, '{}', 1, 0, 0);
INSERT INTO internal_user (id, email, document, version, created_at, updated_at) VALUES ('u1', 'ada@example.com', '{}', 1, 0, 0);
INSERT INTO virtual_key (id, alias, user_id, team_id, document, version, created_at, updated_at) VALUES
    ('k1', 'cline', 'u1', 't1', '{"masked": "sk-...aaaa", "max_budget": 50000000000, "budget_duration": "7d"}', 1, 0, 0),
    ('k2', NULL, NULL, 't2', '{"masked": "sk-...bbbb"}', 1, 0, 0),
    ('k3', 'alone', NULL, NULL, '{"masked": "sk-...cccc"}', 1, 0, 0);
INSERT INTO customer (id, alias, document, version, created_at, updated_at) VALUES ('c1', 'Customer', '{}', 1, 0, 0);
INSERT INTO spent (scope, id, total) VALUES ('team', 't1', 30000000000), ('key', 'k1', 12500000000);

CREATE TEMPORARY TABLE use AS
SELECT (now() AT TIME ZONE 'UTC')::date - DATE '1970-01-01' - n AS day, k.*, m.*
FROM generate_series(0, 29) n,
    (VALUES ('k1', 'u1', 't1', 'o1'), ('k2', '', 't2', ''), ('k3', '', '', ''), ('gone', '', 't1', 'o1'))
        k (key_hash, user_id, team_id, organization_id),
    (VALUES ('gpt', 'gpt-4o', 'openai', 250000000), ('claude', 'claude-sonnet-4-5', 'anthropic', 500000000), ('qwen', 'qwen3', 'ollama', 0))
        m (model_group, model, provider, cost);

INSERT INTO spend_daily
SELECT day, key_hash, user_id, team_id, organization_id, model_group, model, provider, 'chat', cost, 10, 1, 6000, 2500, 0, 0
FROM use;
INSERT INTO spend_daily_tag
SELECT DISTINCT day, 'batch', key_hash, model_group, provider, cost, 10, 1, 6000, 2500, 0, 0 FROM use;
INSERT INTO spend_daily_customer
SELECT DISTINCT day, 'c1', key_hash, model_group, provider, cost, 10, 1, 6000, 2500, 0, 0 FROM use;
INSERT INTO spend_entry (started_at, id, call_id, status, key_hash, team_id, model_group, cost, detail)
SELECT day::bigint * 86400000000, day || key_hash || model_group, 'c', 'success', key_hash, NULLIF(team_id, ''), model_group, cost,
    '{"operation": "chat", "provider": "openai", "model": "gpt-4o", "key_alias": "cline", "usage": {"input": 600, "output": 250}}'
FROM use;
