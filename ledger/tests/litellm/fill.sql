-- Rows of every kind, for ddl.sql. What is encrypted is so under the salt key `sk-salt`.
-- Keys: sk-alice-0001, sk-bob-0002, sk-carol-0003, sk-service-0004.

INSERT INTO "LiteLLM_BudgetTable"
    (budget_id, max_budget, soft_budget, tpm_limit, model_max_budget, budget_duration, budget_reset_at, created_by, updated_by)
VALUES
    ('b-org', 1000.5, 900, NULL, NULL, '30d', '2026-12-01', 'default_user_id', 'default_user_id'),
    ('b-member', 0.000000001, NULL, 100, '{"gpt-4o": {"budget_limit": 0.01, "time_period": "1d"}}', NULL, NULL, 'default_user_id', 'x'),
    ('b-endless', 'Infinity', NULL, NULL, NULL, NULL, NULL, 'x', 'x');

INSERT INTO "LiteLLM_ObjectPermissionTable" (object_permission_id, mcp_servers, vector_stores) VALUES ('p1', '{mcp-1}', '{}');
INSERT INTO "LiteLLM_ModelTable" (aliases, created_by, updated_by) VALUES ('{"fast": "gpt-4o-mini"}', 'x', 'x');

INSERT INTO "LiteLLM_OrganizationTable"
    (organization_id, organization_alias, budget_id, metadata, models, spend, created_by, updated_by)
VALUES ('acme', 'Acme', 'b-org', '{"cost_center": 18446744073709551616.10}', '{gpt-4o}', 12.5, 'default_user_id', 'x');

INSERT INTO "LiteLLM_UserTable"
    (user_id, user_alias, sso_user_id, password, teams, user_role, max_budget, spend, user_email, models, metadata,
     budget_duration, budget_reset_at, object_permission_id)
VALUES
    ('default_user_id', NULL, NULL, NULL, '{}', 'proxy_admin', NULL, 0, NULL, '{}', '{}', NULL, NULL, NULL),
    ('alice', 'Alice', 'sso-alice', NULL, '{red}', 'internal_user', 50, 1.234567891, 'alice@example.com',
     '{gpt-4o,"openai/*"}', '{"a": 1}', '1mo', '2026-12-01', 'p1'),
    ('bob', NULL, NULL, NULL, '{red}', 'app_owner', NULL, 0.1, 'bob@example.com', '{}', '{}', NULL, NULL, NULL),
    ('carol', NULL, NULL, 'letmein', '{}', 'internal_user_viewer', NULL, 0, 'carol@example.com', '{}', '{}', NULL, NULL, NULL);

INSERT INTO "LiteLLM_OrganizationMembership" (user_id, organization_id, user_role, spend) VALUES
    ('alice', 'acme', 'org_admin', 3), ('bob', 'acme', 'internal_user', 0);

INSERT INTO "LiteLLM_TeamTable"
    (team_id, team_alias, organization_id, members_with_roles, metadata, max_budget, spend, models, tpm_limit,
     budget_duration, budget_reset_at, blocked, model_id, team_member_permissions, router_settings)
VALUES
    ('red', 'Red', 'acme',
     '[{"role": "admin", "user_id": "alice", "user_email": null}, {"role": "user", "user_id": "bob", "user_email": "bob@example.com"},
       {"role": "user", "user_id": "dave"}, {"role": "user", "user_id": null, "user_email": "invited@example.com"}]',
     '{"team_member_budget_id": "b-member", "model_rpm_limit": {"gpt-4o": 3}}', 99.99, 9.750000000000001e-05, '{gpt-4o}',
     1000, '30d', '2026-12-01', false, 1, '{/key/info,/key/list}', '{"num_retries": 3}'),
    ('blue', NULL, NULL, '{}', '{}', NULL, 0, '{}', NULL, NULL, NULL, true, NULL, '{}', NULL);

INSERT INTO "LiteLLM_TeamMembership" (user_id, team_id, spend, budget_id) VALUES
    ('alice', 'red', 0.3, 'b-member'), ('bob', 'red', 0.000000002, NULL), ('ghost', 'red', 7, NULL);

INSERT INTO "LiteLLM_VerificationToken"
    (token, key_name, key_alias, spend, expires, models, aliases, user_id, team_id, permissions, max_parallel_requests,
     metadata, blocked, tpm_limit, rpm_limit, max_budget, budget_duration, budget_reset_at, allowed_cache_controls,
     model_max_budget, budget_id, organization_id, created_by, allowed_routes, object_permission_id, auto_rotate,
     key_rotation_at, rotation_count, rotation_interval)
VALUES
    ('ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'sk-...0001', 'alice-key', 0.30000000000000004,
     '2030-01-01 00:00:00.123', '{gpt-4o}', '{"mine": "gpt-4o"}', 'alice', 'red', '{"get_spend_routes": true}', 7,
     '{"tags": ["a"], "n": 1.10}', NULL, 10, 5, 10.5, '30d', '2026-12-01', '{no-cache}',
     '{"gpt-4o": {"budget_limit": 1}}', NULL, 'acme', 'default_user_id', '{llm_api_routes}', 'p1', true,
     '2026-12-24', 2, '30d'),
    ('7ff7f49c6da0ee76ea0001ee9d3ad853f002a7e30083acf604160687f609f0aa', 'sk-...0002', 'shared', 0, NULL, '{}', '{}', 'bob', NULL, '{}', NULL, '{}', true, NULL, NULL, NULL, NULL,
     NULL, '{}', '{}', NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL),
    ('a7277e3f572b3f635cfe9c15a84e42efa1f46ddd661b8034ea3539a54c651904', NULL, 'shared', 1e-09, '2026-01-01', '{}', '{}', 'carol', NULL, '{}', NULL, '{}', false, NULL, NULL, NULL, NULL,
     NULL, '{}', '{}', 'b-member', NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL),
    ('d3a8c047d99acbca130c00605cb4d828655fd5df3209d09afdd55a7071d91abd', 'sk-...0004', '', 123456789.123456789, NULL, '{}', '{}', NULL, 'red', '{}', NULL, '{"service_account_id": "s"}', NULL,
     NULL, NULL, 0, NULL, NULL, '{}', '{}', NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL);

INSERT INTO "LiteLLM_VerificationToken" (token, key_alias, team_id, max_budget) VALUES
    ('7b80dd5fb78cb5412a5565c0cba985374a7126d1d66f90c00582acacc94b7aea', NULL, 'litellm-dashboard', 10),
    ('cbc562dc2a68af94921b04125b54c57829555548db4e3967817c526200fbb641', 'endless', NULL, 'NaN'),
    ('not-a-hash', NULL, NULL, NULL);

INSERT INTO "LiteLLM_EndUserTable" (user_id, alias, spend, allowed_model_region, default_model, budget_id, blocked) VALUES
    ('cust-1', 'Customer', 0.25, 'eu', 'gpt-4o', 'b-member', false), ('o''brien', NULL, 0, NULL, NULL, NULL, true);

INSERT INTO "LiteLLM_TagTable" (tag_name, description, models, model_info, spend, budget_id) VALUES
    ('a', 'the first', '{}', '{"m": "x"}', 0.5, 'b-org');

INSERT INTO "LiteLLM_ProxyModelTable" (model_id, model_name, litellm_params, model_info, created_by, updated_by) VALUES
    ('m-1', 'gpt-4o', '{"model": "q7N1237PQXSNqQgCmcA_LrzgUEABlYroCyekThrH4Q5TSroIqX18jRYJZysgtfWVUsTLCEQ=", "api_key": "2qNYC1vCCb5Bcv2frXvKRNABUbxuynkDGJ6BirTV7gnEgsqt2nAMR6Nd4O68AY9ZPvDv", "rpm": 5, "input_cost_per_token": 2.5e-06}',
     '{"id": "m-1", "team_id": "red"}', 'x', 'x'),
    ('m-2', 'lost', '{"model": "q7N1237PQXSNqQgCmcA_LrzgUEABlYroT3hxMZg0f_PTi2Q0KRZSHX4uHQQP2TXKMymmohc="}', NULL, 'x', 'x');

INSERT INTO "LiteLLM_CredentialsTable"
    (credential_id, credential_name, credential_values, credential_info, created_by, updated_by)
VALUES ('c-1', 'openai', '{"api_key": "znjHn_OD7pdAYaz7Nbf38zsnfLyVBGRvzO2h7Ojv8D3fspilaRgWq901BH-Ht0NGobuC_O4="}', '{"custom_llm_provider": "openai"}', 'x', 'x');

INSERT INTO "LiteLLM_Config" (param_name, param_value) VALUES
    ('router_settings', '{"num_retries": 3}'),
    ('environment_variables', '{"OPENAI_API_KEY": "FysD6DkfEboTd_26jXqU7ravd7lnIjv3Q7lQRDLP5O6OTT3NLoZPJU4uD5sJvB73UgC0brkt"}');

INSERT INTO "LiteLLM_InvitationLink"
    (id, user_id, is_accepted, accepted_at, expires_at, created_at, created_by, updated_at, updated_by)
VALUES ('i-1', 'carol', false, NULL, '2026-12-01', '2026-11-20', 'alice', '2026-11-20', 'alice');

INSERT INTO "LiteLLM_AuditLog"
    (id, updated_at, changed_by, changed_by_api_key, action, table_name, object_id, before_value, updated_values)
VALUES
    ('a-1', '2026-11-20', 'alice', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'created', 'LiteLLM_TeamTable', 'red', NULL, '{"team_id": "red"}'),
    ('a-2', '2026-11-21', 'alice', '', 'updated', 'LiteLLM_ProxyModelTable', 'm-1', NULL, '{"litellm_params": {"api_key": "x"}}');

INSERT INTO "LiteLLM_DeletedVerificationToken" (id, token, key_alias, spend, deleted_at, deleted_by) VALUES
    ('d-1', '43a368a4b3d7ac709875ee04a941420cbcbeb201d3b0423bc6f3537b180e9aab', 'gone', 5, '2026-11-19', 'alice');
INSERT INTO "LiteLLM_DeletedTeamTable" (id, team_id, team_alias, deleted_at, deleted_by) VALUES
    ('d-2', 'green', 'Green', '2026-11-19', 'alice');

-- 2,500 requests from the 20th of October on: three keys, a failure in ten, a customer in five, a cached one in fifty.
INSERT INTO "LiteLLM_SpendLogs"
    (request_id, call_type, api_key, spend, total_tokens, prompt_tokens, completion_tokens, "startTime", "endTime",
     "completionStartTime", model, model_id, model_group, custom_llm_provider, api_base, "user", metadata, cache_hit,
     cache_key, request_tags, team_id, end_user, session_id, status)
SELECT 'chatcmpl-' || n,
    CASE WHEN n % 10 = 0 THEN '' WHEN n % 7 = 0 THEN 'aembedding' ELSE 'acompletion' END,
    (ARRAY['ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', '7ff7f49c6da0ee76ea0001ee9d3ad853f002a7e30083acf604160687f609f0aa', 'a7277e3f572b3f635cfe9c15a84e42efa1f46ddd661b8034ea3539a54c651904'])[n % 3 + 1],
    CASE WHEN n % 10 = 0 OR n % 50 = 1 THEN 0 ELSE n * 9.750000000000001e-05 END,
    CASE WHEN n % 10 = 0 THEN 0 ELSE 18 END, CASE WHEN n % 10 = 0 THEN 0 ELSE 11 END, CASE WHEN n % 10 = 0 THEN 0 ELSE 7 END,
    TIMESTAMP '2026-10-20' + n * INTERVAL '10 minutes', TIMESTAMP '2026-10-20' + n * INTERVAL '10 minutes' + INTERVAL '405 ms',
    TIMESTAMP '2026-10-20' + n * INTERVAL '10 minutes' + CASE WHEN n % 2 = 0 THEN INTERVAL '100 ms' ELSE INTERVAL '405 ms' END,
    'openai/gpt-4o', 'd-1', 'gpt-4o', CASE WHEN n % 10 = 0 THEN '' ELSE 'openai' END, 'http://127.0.0.1/v1',
    (ARRAY['alice', 'bob', ''])[n % 3 + 1],
    CASE WHEN n % 10 = 0
        THEN '{"status": "failure", "error_information": {"error_code": "429", "error_class": "RateLimitError", "error_message": "no"}}'::jsonb
        ELSE '{"user_api_key_alias": "alias", "user_api_key_team_alias": "Red", "usage_object": {"prompt_tokens_details": {"cached_tokens": 4},
               "completion_tokens_details": {"reasoning_tokens": 2}}, "spend_logs_metadata": {"job": 1.10}}'::jsonb END,
    CASE WHEN n % 50 = 1 THEN 'True' ELSE 'None' END,
    'Cache OFF',
    CASE WHEN n % 4 = 0 THEN '["a", "User-Agent: curl", "User-Agent: curl/8.1"]'::jsonb ELSE '[]'::jsonb END,
    CASE WHEN n % 3 = 0 THEN 'red' END,
    CASE WHEN n % 5 = 0 THEN 'o''brien' END,
    'session-' || n,
    CASE WHEN n % 10 = 0 THEN 'failure' ELSE 'success' END
FROM generate_series(1, 2500) n;

-- At the same moment as another, one of LiteLLM's own, and one with an amount that is none.
INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, api_key, spend, "startTime", "endTime") VALUES
    ('twin', 'acompletion', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 0.5, '2026-10-20 00:10:00', '2026-10-20 00:10:01'),
    ('health', 'acompletion', 'litellm-internal-health-check', 0.125, '2026-10-21', '2026-10-21'),
    ('broken', 'acompletion', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'NaN', '2026-10-21', '2026-10-21');

-- Sums of ten days, three of them (the 17th to the 19th of October) without logs, and one with more than there are logs.
INSERT INTO "LiteLLM_DailyUserSpend"
    (id, user_id, date, api_key, model, model_group, custom_llm_provider, prompt_tokens, completion_tokens, spend,
     updated_at, api_requests, failed_requests, successful_requests, cache_read_input_tokens, mcp_namespaced_tool_name, endpoint)
SELECT 'du-' || d || '-' || k, (ARRAY['alice', 'bob'])[k], (DATE '2026-10-16' + d)::text,
    (ARRAY['ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', '7ff7f49c6da0ee76ea0001ee9d3ad853f002a7e30083acf604160687f609f0aa'])[k], 'openai/gpt-4o', 'gpt-4o', 'openai', 110, 70,
    d * 0.1, '2026-10-30', CASE WHEN d = 5 THEN 1000 ELSE 10 END, 1, 9, 4, '', '/chat/completions'
FROM generate_series(1, 10) d, generate_series(1, 2) k;

-- The same key and model over another route: one sum here.
INSERT INTO "LiteLLM_DailyUserSpend" (id, user_id, date, api_key, model, custom_llm_provider, spend, updated_at, api_requests, endpoint)
VALUES ('du-route', 'alice', '2026-10-19', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'openai/gpt-4o', 'openai', 0.000000001, '2026-10-30', 1, '/elsewhere'),
    ('du-twice', 'alice', '2026-10-19', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'openai/gpt-4o', 'openai', 0.000000001, '2026-10-30', 1, '/nowhere');

INSERT INTO "LiteLLM_DailyTeamSpend"
    (id, team_id, date, api_key, model, model_group, custom_llm_provider, spend, updated_at, api_requests, endpoint)
SELECT 'dt-' || d, 'red', (DATE '2026-10-16' + d)::text, 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'openai/gpt-4o', 'gpt-4o', 'openai', d * 0.1, '2026-10-30', 10,
    '/chat/completions'
FROM generate_series(1, 10) d;

INSERT INTO "LiteLLM_DailyTagSpend" (id, tag, date, api_key, model_group, custom_llm_provider, spend, updated_at, api_requests)
VALUES ('dg-1', 'a', '2026-10-18', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'gpt-4o', 'openai', 0.2, '2026-10-30', 10),
    ('dg-2', 'a', '2026-10-22', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'gpt-4o', 'openai', 0.6, '2026-10-30', 10);

INSERT INTO "LiteLLM_DailyEndUserSpend" (id, end_user_id, date, api_key, model_group, custom_llm_provider, spend, updated_at, api_requests)
VALUES ('de-1', 'o''brien', '2026-10-18', 'ccaebe50b8f1a22c3de58569ef2a814c286f65c0514f238e176598f0640e12bb', 'gpt-4o', 'openai', 0.2, '2026-10-30', 10);

INSERT INTO "LiteLLM_HealthCheckTable" (health_check_id, model_name, status, updated_at) VALUES ('h-1', 'gpt-4o', 'healthy', '2026-11-20');
INSERT INTO "LiteLLM_UISettings" (ui_settings, updated_at) VALUES ('{}', '2026-11-20');
CREATE TABLE "LiteLLM_OfTheFuture" (id TEXT PRIMARY KEY);
INSERT INTO "LiteLLM_OfTheFuture" VALUES ('f-1');
