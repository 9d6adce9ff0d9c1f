-- What is kept, as LiteLLM's tables and views: with `SET search_path TO litellm` SQL that was written for LiteLLM runs
-- unchanged. Read-only. Amounts are dollars, times are UTC without a zone. What is secret or sealed is not shown.
--
-- The schema is `litellm`, unless something of that name is there already (LiteLLM itself may live in it): then it stays
-- `weir_litellm`.
--
-- Of SpendLogs, filters by team, customer and session use our indexes; one by "startTime" reads all rows.
-- Sums by day are in the Daily tables, which are small.
CREATE SCHEMA weir_litellm;

-- --- how values are told ---

-- Documents are text, and may hold what jsonb does not take (U+0000, half a surrogate pair): those are empty here.
-- Whoever catches errors cannot run in parallel.
CREATE FUNCTION weir_litellm.object(text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED AS $$
BEGIN
    RETURN COALESCE(NULLIF($1, '')::jsonb, '{}'::jsonb);
EXCEPTION WHEN others THEN
    RETURN '{}'::jsonb;
END
$$;

-- From nano-dollars. The product is exact; only what is told is a float.
CREATE FUNCTION weir_litellm.dollars(numeric) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ($1 * 0.000000001)::double precision $$;

-- What is too large for LiteLLM's columns is as large as they can be.
CREATE FUNCTION weir_litellm.small(numeric) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 IS NOT NULL THEN LEAST(GREATEST($1, -2147483648), 2147483647)::integer END $$;

-- From microseconds since 1970.
CREATE FUNCTION weir_litellm.moment(bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT TIMESTAMP 'epoch' + $1 * INTERVAL '1 microsecond' $$;

-- From days since 1970.
CREATE FUNCTION weir_litellm.day(bigint) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT DATE '1970-01-01' + $1::integer $$;

CREATE FUNCTION weir_litellm.texts(jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE jsonb_typeof($1) WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text($1)) ELSE '{}' END $$;

-- The upstream's name of a model, with its provider before it, as LiteLLM writes it.
CREATE FUNCTION weir_litellm.model(provider text, model text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 = '' OR $2 = '' OR starts_with($2, $1 || '/') THEN $2 ELSE $1 || '/' || $2 END $$;

-- LiteLLM's name of an operation.
CREATE FUNCTION weir_litellm.call_type(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE $1
        WHEN 'Chat' THEN 'acompletion'
        WHEN 'Completions' THEN 'atext_completion'
        WHEN 'Embeddings' THEN 'aembedding'
        WHEN 'Messages' THEN 'anthropic_messages'
        WHEN 'CountTokens' THEN 'acount_tokens'
        WHEN 'Responses' THEN 'aresponses'
        WHEN 'Generate' THEN 'agenerate_content'
        WHEN 'StreamGenerate' THEN 'agenerate_content_stream'
        WHEN 'CountContents' THEN 'acount_tokens'
        WHEN 'Moderations' THEN 'amoderation'
        WHEN 'Images' THEN 'aimage_generation'
        WHEN 'ImageEdits' THEN 'aimage_edit'
        WHEN 'ImageVariations' THEN 'aimage_variation'
        WHEN 'Rerank' THEN 'arerank'
        WHEN 'Speech' THEN 'aspeech'
        WHEN 'Transcriptions' THEN 'atranscription'
        WHEN 'Translations' THEN 'atranscription'
        WHEN 'PassThrough' THEN 'pass_through_endpoint'
        ELSE COALESCE($1, '')
    END
$$;

-- The route of a call type.
CREATE FUNCTION weir_litellm.endpoint(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE $1
        WHEN 'acompletion' THEN '/v1/chat/completions'
        WHEN 'atext_completion' THEN '/v1/completions'
        WHEN 'aembedding' THEN '/v1/embeddings'
        WHEN 'anthropic_messages' THEN '/v1/messages'
        WHEN 'aresponses' THEN '/v1/responses'
        WHEN 'amoderation' THEN '/v1/moderations'
        WHEN 'aimage_generation' THEN '/v1/images/generations'
        WHEN 'aimage_edit' THEN '/v1/images/edits'
        WHEN 'arerank' THEN '/v1/rerank'
        WHEN 'aspeech' THEN '/v1/audio/speech'
        WHEN 'atranscription' THEN '/v1/audio/transcriptions'
        ELSE ''
    END
$$;

-- What was spent under the ids of a scope since their last reset; late spend of a renamed key counts under its new id.
CREATE VIEW weir_litellm.spent AS
SELECT scope, COALESCE(heir, id) AS id, weir_litellm.dollars(SUM(total - base)) AS spend
FROM weir.spent
GROUP BY scope, COALESCE(heir, id);

-- --- who may do what ---

CREATE VIEW weir_litellm."LiteLLM_VerificationToken" AS
SELECT k.id AS token,
    d ->> 'masked' AS key_name,
    k.alias AS key_alias,
    false AS soft_budget_cooldown,
    COALESCE(s.spend, 0) AS spend,
    weir_litellm.moment((d ->> 'expires_at')::bigint)::timestamp(3) AS expires,
    weir_litellm.texts(d -> 'models') AS models,
    COALESCE(d -> 'aliases', '{}') AS aliases,
    COALESCE(d -> 'config', '{}') AS config,
    k.user_id,
    k.team_id,
    COALESCE(d -> 'permissions', '{}') AS permissions,
    weir_litellm.small((d ->> 'max_parallel_requests')::numeric) AS max_parallel_requests,
    weir_litellm.object(d ->> 'metadata') AS metadata,
    (d ->> 'blocked')::boolean AS blocked,
    (d ->> 'tpm_limit')::bigint AS tpm_limit,
    (d ->> 'rpm_limit')::bigint AS rpm_limit,
    weir_litellm.dollars((d ->> 'max_budget')::numeric) AS max_budget,
    d ->> 'budget_duration' AS budget_duration,
    weir_litellm.moment((d ->> 'budget_reset_at')::bigint)::timestamp(3) AS budget_reset_at,
    weir_litellm.texts(d -> 'allowed_cache_controls') AS allowed_cache_controls,
    '{}'::jsonb AS model_spend,
    COALESCE(d -> 'model_max_budget', '{}') AS model_max_budget,
    k.budget_id,
    k.organization_id,
    weir_litellm.moment(k.created_at)::timestamp(3) AS created_at,
    k.created_by,
    weir_litellm.moment(k.updated_at)::timestamp(3) AS updated_at,
    k.updated_by,
    weir_litellm.texts(d -> 'allowed_routes') AS allowed_routes,
    d -> 'object_permission' ->> 'object_permission_id' AS object_permission_id,
    COALESCE((d -> 'rotation' ->> 'auto')::boolean, false) AS auto_rotate,
    weir_litellm.moment((d -> 'rotation' ->> 'next_at')::bigint)::timestamp(3) AS key_rotation_at,
    weir_litellm.moment((d -> 'rotation' ->> 'last_at')::bigint)::timestamp(3) AS last_rotation_at,
    COALESCE(weir_litellm.small((d -> 'rotation' ->> 'count')::numeric), 0) AS rotation_count,
    d -> 'rotation' ->> 'interval' AS rotation_interval,
    COALESCE(d -> 'router_settings', '{}') AS router_settings
-- `OFFSET 0`: a document is read once, not once for each column; and not at all where no column of it is asked for.
FROM weir.virtual_key k
CROSS JOIN LATERAL (SELECT weir_litellm.object(k.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'key' AND s.id = k.id;

CREATE VIEW weir_litellm."LiteLLM_TeamTable" AS
SELECT t.id AS team_id,
    t.alias AS team_alias,
    t.organization_id,
    '{}'::text[] AS admins,
    '{}'::text[] AS members,
    COALESCE(m.members, '[]') AS members_with_roles,
    weir_litellm.object(d ->> 'metadata') AS metadata,
    weir_litellm.dollars((d ->> 'max_budget')::numeric) AS max_budget,
    COALESCE(s.spend, 0) AS spend,
    weir_litellm.texts(d -> 'models') AS models,
    weir_litellm.small((d ->> 'max_parallel_requests')::numeric) AS max_parallel_requests,
    (d ->> 'tpm_limit')::bigint AS tpm_limit,
    (d ->> 'rpm_limit')::bigint AS rpm_limit,
    d ->> 'budget_duration' AS budget_duration,
    weir_litellm.moment((d ->> 'budget_reset_at')::bigint)::timestamp(3) AS budget_reset_at,
    COALESCE((d ->> 'blocked')::boolean, false) AS blocked,
    weir_litellm.moment(t.created_at)::timestamp(3) AS created_at,
    weir_litellm.moment(t.updated_at)::timestamp(3) AS updated_at,
    '{}'::jsonb AS model_spend,
    COALESCE(d -> 'model_max_budget', '{}') AS model_max_budget,
    CASE WHEN COALESCE(d -> 'model_aliases', '{}') <> '{}' THEN hashtext(t.id) END AS model_id,
    weir_litellm.texts(d -> 'member_permissions') AS team_member_permissions,
    d -> 'object_permission' ->> 'object_permission_id' AS object_permission_id,
    COALESCE(d -> 'router_settings', '{}') AS router_settings
FROM weir.team t
CROSS JOIN LATERAL (SELECT weir_litellm.object(t.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'team' AND s.id = t.id
LEFT JOIN (
    SELECT team_id,
        jsonb_agg(
            jsonb_build_object('role', d ->> 'role', 'user_id', user_id, 'user_email', d ->> 'email')
            ORDER BY created_at, id
        ) AS members
    FROM weir.team_member v
    CROSS JOIN LATERAL (SELECT weir_litellm.object(v.document) AS d OFFSET 0) j
    GROUP BY team_id
) m ON m.team_id = t.id;

CREATE VIEW weir_litellm."LiteLLM_TeamMembership" AS
SELECT m.user_id,
    m.team_id,
    COALESCE(s.spend, 0) AS spend,
    weir_litellm.object(m.document) ->> 'budget_id' AS budget_id
FROM weir.team_member m
LEFT JOIN weir_litellm.spent s ON s.scope = 'member' AND s.id = m.id;

-- Numbers of aliases are made from their teams' ids.
CREATE VIEW weir_litellm."LiteLLM_ModelTable" AS
SELECT hashtext(t.id) AS id,
    d -> 'model_aliases' AS aliases,
    weir_litellm.moment(t.created_at)::timestamp(3) AS created_at,
    COALESCE(t.created_by, '') AS created_by,
    weir_litellm.moment(t.updated_at)::timestamp(3) AS updated_at,
    COALESCE(t.updated_by, '') AS updated_by
FROM weir.team t
CROSS JOIN LATERAL (SELECT weir_litellm.object(t.document) AS d OFFSET 0) j
WHERE COALESCE(d -> 'model_aliases', '{}') <> '{}';

CREATE VIEW weir_litellm."LiteLLM_UserTable" AS
SELECT u.id AS user_id,
    u.alias AS user_alias,
    NULL::text AS team_id,
    u.sso_id AS sso_user_id,
    NULL::text AS organization_id,
    NULL::text AS password,
    COALESCE(m.teams, '{}') AS teams,
    u.role AS user_role,
    weir_litellm.dollars((d ->> 'max_budget')::numeric) AS max_budget,
    COALESCE(s.spend, 0) AS spend,
    u.email AS user_email,
    weir_litellm.texts(d -> 'models') AS models,
    weir_litellm.object(d ->> 'metadata') AS metadata,
    weir_litellm.small((d ->> 'max_parallel_requests')::numeric) AS max_parallel_requests,
    (d ->> 'tpm_limit')::bigint AS tpm_limit,
    (d ->> 'rpm_limit')::bigint AS rpm_limit,
    d ->> 'budget_duration' AS budget_duration,
    weir_litellm.moment((d ->> 'budget_reset_at')::bigint)::timestamp(3) AS budget_reset_at,
    weir_litellm.texts(d -> 'allowed_cache_controls') AS allowed_cache_controls,
    '{}'::jsonb AS model_spend,
    COALESCE(d -> 'model_max_budget', '{}') AS model_max_budget,
    weir_litellm.moment(u.created_at)::timestamp(3) AS created_at,
    weir_litellm.moment(u.updated_at)::timestamp(3) AS updated_at,
    d -> 'object_permission' ->> 'object_permission_id' AS object_permission_id
FROM weir.internal_user u
CROSS JOIN LATERAL (SELECT weir_litellm.object(u.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'user' AND s.id = u.id
LEFT JOIN (
    SELECT user_id, array_agg(team_id ORDER BY created_at, team_id) AS teams FROM weir.team_member GROUP BY user_id
) m ON m.user_id = u.id;

CREATE VIEW weir_litellm."LiteLLM_BudgetTable" AS
SELECT b.id AS budget_id,
    weir_litellm.dollars((d ->> 'max_budget')::numeric) AS max_budget,
    weir_litellm.dollars((d ->> 'soft_budget')::numeric) AS soft_budget,
    weir_litellm.small((d ->> 'max_parallel_requests')::numeric) AS max_parallel_requests,
    (d ->> 'tpm_limit')::bigint AS tpm_limit,
    (d ->> 'rpm_limit')::bigint AS rpm_limit,
    NULLIF(d -> 'model_max_budget', '{}') AS model_max_budget,
    d ->> 'budget_duration' AS budget_duration,
    weir_litellm.moment((d ->> 'budget_reset_at')::bigint)::timestamp(3) AS budget_reset_at,
    weir_litellm.moment(b.created_at)::timestamp(3) AS created_at,
    COALESCE(b.created_by, '') AS created_by,
    weir_litellm.moment(b.updated_at)::timestamp(3) AS updated_at,
    COALESCE(b.updated_by, '') AS updated_by
FROM weir.budget b
CROSS JOIN LATERAL (SELECT weir_litellm.object(b.document) AS d OFFSET 0) j;

CREATE VIEW weir_litellm."LiteLLM_OrganizationTable" AS
SELECT o.id AS organization_id,
    COALESCE(o.alias, '') AS organization_alias,
    COALESCE(o.budget_id, '') AS budget_id,
    weir_litellm.object(d ->> 'metadata') AS metadata,
    weir_litellm.texts(d -> 'models') AS models,
    COALESCE(s.spend, 0) AS spend,
    '{}'::jsonb AS model_spend,
    weir_litellm.moment(o.created_at)::timestamp(3) AS created_at,
    COALESCE(o.created_by, '') AS created_by,
    weir_litellm.moment(o.updated_at)::timestamp(3) AS updated_at,
    COALESCE(o.updated_by, '') AS updated_by,
    d -> 'object_permission' ->> 'object_permission_id' AS object_permission_id
FROM weir.organization o
CROSS JOIN LATERAL (SELECT weir_litellm.object(o.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'organization' AND s.id = o.id;

-- What a member of an organisation spends is counted for the organisation only.
CREATE VIEW weir_litellm."LiteLLM_OrganizationMembership" AS
SELECT m.user_id,
    m.organization_id,
    d ->> 'role' AS user_role,
    0::double precision AS spend,
    d ->> 'budget_id' AS budget_id,
    weir_litellm.moment(m.created_at)::timestamp(3) AS created_at,
    weir_litellm.moment(m.updated_at)::timestamp(3) AS updated_at
FROM weir.organization_member m
CROSS JOIN LATERAL (SELECT weir_litellm.object(m.document) AS d OFFSET 0) j;

CREATE VIEW weir_litellm."LiteLLM_EndUserTable" AS
SELECT c.id AS user_id,
    c.alias,
    COALESCE(s.spend, 0) AS spend,
    d ->> 'allowed_model_region' AS allowed_model_region,
    d ->> 'default_model' AS default_model,
    c.budget_id,
    COALESCE((d ->> 'blocked')::boolean, false) AS blocked
FROM weir.customer c
CROSS JOIN LATERAL (SELECT weir_litellm.object(c.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'customer' AND s.id = c.id;

CREATE VIEW weir_litellm."LiteLLM_TagTable" AS
SELECT t.id AS tag_name,
    d ->> 'description' AS description,
    weir_litellm.texts(d -> 'models') AS models,
    d -> 'model_info' AS model_info,
    COALESCE(s.spend, 0) AS spend,
    t.budget_id,
    weir_litellm.moment(t.created_at)::timestamp(3) AS created_at,
    t.created_by,
    weir_litellm.moment(t.updated_at)::timestamp(3) AS updated_at
FROM weir.tag t
CROSS JOIN LATERAL (SELECT weir_litellm.object(t.document) AS d OFFSET 0) j
LEFT JOIN weir_litellm.spent s ON s.scope = 'tag' AND s.id = t.id;

CREATE VIEW weir_litellm."LiteLLM_InvitationLink" AS
SELECT i.id,
    i.user_id,
    d ->> 'accepted_at' IS NOT NULL AS is_accepted,
    weir_litellm.moment((d ->> 'accepted_at')::bigint)::timestamp(3) AS accepted_at,
    weir_litellm.moment((d ->> 'expires_at')::bigint)::timestamp(3) AS expires_at,
    weir_litellm.moment(i.created_at)::timestamp(3) AS created_at,
    COALESCE(i.created_by, '') AS created_by,
    weir_litellm.moment(i.updated_at)::timestamp(3) AS updated_at,
    COALESCE(i.updated_by, '') AS updated_by
FROM weir.invitation i
CROSS JOIN LATERAL (SELECT weir_litellm.object(i.document) AS d OFFSET 0) j;

-- Permissions on objects are kept with those who have them.
CREATE VIEW weir_litellm."LiteLLM_ObjectPermissionTable" AS
SELECT DISTINCT ON (p ->> 'object_permission_id') p ->> 'object_permission_id' AS object_permission_id,
    weir_litellm.texts(p -> 'mcp_servers') AS mcp_servers,
    weir_litellm.texts(p -> 'vector_stores') AS vector_stores,
    weir_litellm.texts(p -> 'mcp_access_groups') AS mcp_access_groups,
    NULLIF(p -> 'mcp_tool_permissions', 'null') AS mcp_tool_permissions,
    weir_litellm.texts(p -> 'agents') AS agents,
    weir_litellm.texts(p -> 'agent_access_groups') AS agent_access_groups
FROM (
    SELECT weir_litellm.object(document) -> 'object_permission' AS p FROM weir.virtual_key
    UNION ALL SELECT weir_litellm.object(document) -> 'object_permission' FROM weir.team
    UNION ALL SELECT weir_litellm.object(document) -> 'object_permission' FROM weir.internal_user
    UNION ALL SELECT weir_litellm.object(document) -> 'object_permission' FROM weir.organization
) all_of_them
WHERE p ->> 'object_permission_id' IS NOT NULL
ORDER BY p ->> 'object_permission_id';

-- --- models and settings: of what is sealed only what may be told ---

CREATE VIEW weir_litellm."LiteLLM_ProxyModelTable" AS
SELECT m.id AS model_id,
    COALESCE(m.name, '') AS model_name,
    COALESCE(d -> 'shown', '{}') AS litellm_params,
    weir_litellm.object(d ->> 'info') AS model_info,
    weir_litellm.moment(m.created_at)::timestamp(3) AS created_at,
    COALESCE(m.created_by, '') AS created_by,
    weir_litellm.moment(m.updated_at)::timestamp(3) AS updated_at,
    COALESCE(m.updated_by, '') AS updated_by
FROM weir.model m
CROSS JOIN LATERAL (SELECT weir_litellm.object(m.document) AS d OFFSET 0) j;

CREATE VIEW weir_litellm."LiteLLM_CredentialsTable" AS
SELECT c.id AS credential_id,
    c.id AS credential_name,
    '{}'::jsonb AS credential_values,
    d -> 'info' AS credential_info,
    weir_litellm.moment(c.created_at)::timestamp(3) AS created_at,
    COALESCE(c.created_by, '') AS created_by,
    weir_litellm.moment(c.updated_at)::timestamp(3) AS updated_at,
    COALESCE(c.updated_by, '') AS updated_by
FROM weir.credential c
CROSS JOIN LATERAL (SELECT weir_litellm.object(c.document) AS d OFFSET 0) j;

CREATE VIEW weir_litellm."LiteLLM_Config" AS
SELECT s.id AS param_name, COALESCE(weir_litellm.object(s.document) -> 'shown', '{}') AS param_value
FROM weir.setting s;

CREATE VIEW weir_litellm."LiteLLM_AuditLog" AS
SELECT a.id,
    weir_litellm.moment(a.at)::timestamp(3) AS updated_at,
    a.changed_by,
    a.key_hash AS changed_by_api_key,
    a.action,
    a.object AS table_name,
    a.object_id,
    weir_litellm.object(a.before) AS before_value,
    weir_litellm.object(a.after) AS updated_values
FROM weir.audit_log a;

-- --- what was spent ---

CREATE VIEW weir_litellm."LiteLLM_SpendLogs" AS
SELECT COALESCE(e.provider_id, e.call_id) AS request_id,
    weir_litellm.call_type(d ->> 'operation') AS call_type,
    COALESCE(e.key_hash, '') AS api_key,
    weir_litellm.dollars(e.cost) AS spend,
    weir_litellm.small((d #>> '{usage,input}')::numeric + (d #>> '{usage,output}')::numeric) AS total_tokens,
    weir_litellm.small((d #>> '{usage,input}')::numeric) AS prompt_tokens,
    weir_litellm.small((d #>> '{usage,output}')::numeric) AS completion_tokens,
    weir_litellm.moment(e.started_at)::timestamp(3) AS "startTime",
    weir_litellm.moment((d ->> 'ended_at')::bigint)::timestamp(3) AS "endTime",
    weir_litellm.moment(COALESCE(d ->> 'first_token_at', d ->> 'ended_at')::bigint)::timestamp(3) AS "completionStartTime",
    weir_litellm.model(d ->> 'provider', COALESCE(NULLIF(d ->> 'model', ''), d ->> 'model_requested')) AS model,
    d ->> 'deployment_id' AS model_id,
    e.model_group,
    d ->> 'provider' AS custom_llm_provider,
    d ->> 'api_base' AS api_base,
    COALESCE(e.user_id, '') AS "user",
    jsonb_build_object(
        'user_api_key', e.key_hash,
        'user_api_key_alias', d ->> 'key_alias',
        'user_api_key_user_id', e.user_id,
        'user_api_key_team_id', e.team_id,
        'user_api_key_team_alias', d ->> 'team_alias',
        'user_api_key_org_id', e.organization_id,
        'requester_metadata', weir_litellm.object(d ->> 'metadata'),
        'usage_object', d -> 'usage',
        'status', CASE e.status WHEN 'success' THEN 'success' ELSE 'failure' END,
        'error_information', CASE WHEN e.status <> 'success' THEN jsonb_build_object(
            'error_code', d ->> 'http_status', 'error_class', d ->> 'error', 'error_message', d ->> 'error_message') END
    ) AS metadata,
    CASE (d ->> 'cache_hit')::boolean WHEN true THEN 'True' ELSE 'False' END AS cache_hit,
    ''::text AS cache_key,
    COALESCE(d -> 'tags', '[]') AS request_tags,
    e.team_id,
    e.end_user,
    d ->> 'client_ip' AS requester_ip_address,
    COALESCE(q -> 'messages', q -> 'input', '{}'::jsonb) AS messages,
    weir_litellm.object(s.response) AS response,
    q AS proxy_server_request,
    e.session_id,
    CASE e.status WHEN 'success' THEN 'success' ELSE 'failure' END AS status,
    NULL::text AS mcp_namespaced_tool_name,
    NULL::text AS agent_id,
    e.organization_id
FROM weir.spend_entry e
LEFT JOIN weir.spend_said s ON s.started_at = e.started_at AND s.id = e.id
CROSS JOIN LATERAL (SELECT weir_litellm.object(e.detail) AS d, weir_litellm.object(s.request) AS q OFFSET 0) j;

CREATE VIEW weir_litellm."LiteLLM_ErrorLogs" AS
SELECT l.request_id,
    l."startTime",
    l."endTime",
    l.api_base,
    l.model_group,
    l.model AS litellm_model_name,
    l.model_id,
    '{}'::jsonb AS request_kwargs,
    COALESCE(l.metadata #>> '{error_information,error_class}', '') AS exception_type,
    COALESCE(l.metadata #>> '{error_information,error_message}', '') AS exception_string,
    COALESCE(l.metadata #>> '{error_information,error_code}', '') AS status_code
FROM weir_litellm."LiteLLM_SpendLogs" l
WHERE l.status = 'failure';

-- Sums by day. Weir keeps them apart by what is named here; those of tags and customers know no upstream model.

CREATE VIEW weir_litellm."LiteLLM_DailyUserSpend" AS
SELECT md5(concat_ws('|', day, user_id, key_hash, model_group, model, provider, call_type)) AS id,
    user_id,
    weir_litellm.day(day)::text AS date,
    key_hash AS api_key,
    weir_litellm.model(provider, model) AS model,
    model_group,
    provider AS custom_llm_provider,
    SUM(input_tokens)::bigint AS prompt_tokens,
    SUM(output_tokens)::bigint AS completion_tokens,
    weir_litellm.dollars(SUM(cost)) AS spend,
    weir_litellm.day(day)::timestamp(3) AS created_at,
    weir_litellm.day(day)::timestamp(3) AS updated_at,
    SUM(requests)::bigint AS api_requests,
    SUM(failures)::bigint AS failed_requests,
    SUM(requests - failures)::bigint AS successful_requests,
    SUM(cache_write)::bigint AS cache_creation_input_tokens,
    SUM(cache_read)::bigint AS cache_read_input_tokens,
    ''::text AS mcp_namespaced_tool_name,
    weir_litellm.endpoint(call_type) AS endpoint
FROM weir.spend_daily
GROUP BY day, user_id, key_hash, model_group, model, provider, call_type;

CREATE VIEW weir_litellm."LiteLLM_DailyTeamSpend" AS
SELECT md5(concat_ws('|', day, team_id, key_hash, model_group, model, provider, call_type)) AS id,
    team_id,
    weir_litellm.day(day)::text AS date,
    key_hash AS api_key,
    weir_litellm.model(provider, model) AS model,
    model_group,
    provider AS custom_llm_provider,
    SUM(input_tokens)::bigint AS prompt_tokens,
    SUM(output_tokens)::bigint AS completion_tokens,
    weir_litellm.dollars(SUM(cost)) AS spend,
    SUM(requests)::bigint AS api_requests,
    SUM(requests - failures)::bigint AS successful_requests,
    SUM(failures)::bigint AS failed_requests,
    weir_litellm.day(day)::timestamp(3) AS created_at,
    weir_litellm.day(day)::timestamp(3) AS updated_at,
    SUM(cache_write)::bigint AS cache_creation_input_tokens,
    SUM(cache_read)::bigint AS cache_read_input_tokens,
    ''::text AS mcp_namespaced_tool_name,
    weir_litellm.endpoint(call_type) AS endpoint
FROM weir.spend_daily
WHERE team_id <> ''
GROUP BY day, team_id, key_hash, model_group, model, provider, call_type;

CREATE VIEW weir_litellm."LiteLLM_DailyOrganizationSpend" AS
SELECT md5(concat_ws('|', day, organization_id, key_hash, model_group, model, provider, call_type)) AS id,
    organization_id,
    weir_litellm.day(day)::text AS date,
    key_hash AS api_key,
    weir_litellm.model(provider, model) AS model,
    model_group,
    provider AS custom_llm_provider,
    ''::text AS mcp_namespaced_tool_name,
    SUM(input_tokens)::bigint AS prompt_tokens,
    SUM(output_tokens)::bigint AS completion_tokens,
    SUM(cache_read)::bigint AS cache_read_input_tokens,
    SUM(cache_write)::bigint AS cache_creation_input_tokens,
    weir_litellm.dollars(SUM(cost)) AS spend,
    SUM(requests)::bigint AS api_requests,
    SUM(requests - failures)::bigint AS successful_requests,
    SUM(failures)::bigint AS failed_requests,
    weir_litellm.day(day)::timestamp(3) AS created_at,
    weir_litellm.day(day)::timestamp(3) AS updated_at,
    weir_litellm.endpoint(call_type) AS endpoint
FROM weir.spend_daily
WHERE organization_id <> ''
GROUP BY day, organization_id, key_hash, model_group, model, provider, call_type;

CREATE VIEW weir_litellm."LiteLLM_DailyEndUserSpend" AS
SELECT md5(concat_ws('|', day, customer, key_hash, model_group, provider)) AS id,
    customer AS end_user_id,
    weir_litellm.day(day)::text AS date,
    key_hash AS api_key,
    model_group AS model,
    model_group,
    provider AS custom_llm_provider,
    ''::text AS mcp_namespaced_tool_name,
    SUM(input_tokens)::bigint AS prompt_tokens,
    SUM(output_tokens)::bigint AS completion_tokens,
    SUM(cache_read)::bigint AS cache_read_input_tokens,
    SUM(cache_write)::bigint AS cache_creation_input_tokens,
    weir_litellm.dollars(SUM(cost)) AS spend,
    SUM(requests)::bigint AS api_requests,
    SUM(requests - failures)::bigint AS successful_requests,
    SUM(failures)::bigint AS failed_requests,
    weir_litellm.day(day)::timestamp(3) AS created_at,
    weir_litellm.day(day)::timestamp(3) AS updated_at,
    ''::text AS endpoint
FROM weir.spend_daily_customer
GROUP BY day, customer, key_hash, model_group, provider;

CREATE VIEW weir_litellm."LiteLLM_DailyTagSpend" AS
SELECT md5(concat_ws('|', day, tag, key_hash, model_group, provider)) AS id,
    tag,
    weir_litellm.day(day)::text AS date,
    key_hash AS api_key,
    model_group AS model,
    model_group,
    provider AS custom_llm_provider,
    SUM(input_tokens)::bigint AS prompt_tokens,
    SUM(output_tokens)::bigint AS completion_tokens,
    SUM(cache_read)::bigint AS cache_read_input_tokens,
    SUM(cache_write)::bigint AS cache_creation_input_tokens,
    weir_litellm.dollars(SUM(cost)) AS spend,
    SUM(requests)::bigint AS api_requests,
    SUM(requests - failures)::bigint AS successful_requests,
    SUM(failures)::bigint AS failed_requests,
    weir_litellm.day(day)::timestamp(3) AS created_at,
    weir_litellm.day(day)::timestamp(3) AS updated_at,
    ''::text AS mcp_namespaced_tool_name,
    NULL::text AS request_id,
    ''::text AS endpoint
FROM weir.spend_daily_tag
GROUP BY day, tag, key_hash, model_group, provider;

-- --- LiteLLM's own views ---

CREATE VIEW weir_litellm."LiteLLM_VerificationTokenView" AS
SELECT v.*,
    t.spend AS team_spend,
    t.max_budget AS team_max_budget,
    t.tpm_limit AS team_tpm_limit,
    t.rpm_limit AS team_rpm_limit,
    t.models AS team_models,
    t.metadata AS team_metadata,
    t.blocked AS team_blocked,
    t.team_alias,
    t.members_with_roles AS team_members_with_roles,
    t.object_permission_id AS team_object_permission_id,
    t.organization_id AS org_id,
    a.aliases AS team_model_aliases,
    m.spend AS team_member_spend,
    mb.tpm_limit AS team_member_tpm_limit,
    mb.rpm_limit AS team_member_rpm_limit,
    b.max_budget AS litellm_budget_table_max_budget,
    b.tpm_limit AS litellm_budget_table_tpm_limit,
    b.rpm_limit AS litellm_budget_table_rpm_limit,
    b.model_max_budget AS litellm_budget_table_model_max_budget,
    b.soft_budget AS litellm_budget_table_soft_budget,
    o.metadata AS organization_metadata,
    ob.max_budget AS organization_max_budget,
    ob.tpm_limit AS organization_tpm_limit,
    ob.rpm_limit AS organization_rpm_limit
FROM weir_litellm."LiteLLM_VerificationToken" v
LEFT JOIN weir_litellm."LiteLLM_TeamTable" t ON t.team_id = v.team_id
LEFT JOIN weir_litellm."LiteLLM_ModelTable" a ON a.id = t.model_id
LEFT JOIN weir_litellm."LiteLLM_TeamMembership" m ON m.team_id = v.team_id AND m.user_id = v.user_id
LEFT JOIN weir_litellm."LiteLLM_BudgetTable" mb ON mb.budget_id = m.budget_id
LEFT JOIN weir_litellm."LiteLLM_BudgetTable" b ON b.budget_id = v.budget_id
LEFT JOIN weir_litellm."LiteLLM_OrganizationTable" o ON o.organization_id = v.organization_id
LEFT JOIN weir_litellm."LiteLLM_BudgetTable" ob ON ob.budget_id = o.budget_id;

-- Days since 1970 at which thirty days began.
CREATE FUNCTION weir_litellm.month_ago() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT ((now() AT TIME ZONE 'UTC')::date - DATE '1970-01-01')::bigint - 30 $$;

CREATE VIEW weir_litellm."MonthlyGlobalSpend" AS
SELECT weir_litellm.day(day) AS date, weir_litellm.dollars(SUM(cost)) AS spend
FROM weir.spend_daily
WHERE day >= weir_litellm.month_ago()
GROUP BY day;

CREATE VIEW weir_litellm."MonthlyGlobalSpendPerKey" AS
SELECT weir_litellm.day(day) AS date, weir_litellm.dollars(SUM(cost)) AS spend, key_hash AS api_key
FROM weir.spend_daily
WHERE day >= weir_litellm.month_ago()
GROUP BY day, key_hash;

CREATE VIEW weir_litellm."MonthlyGlobalSpendPerUserPerKey" AS
SELECT weir_litellm.day(day) AS date, weir_litellm.dollars(SUM(cost)) AS spend, key_hash AS api_key, user_id AS "user"
FROM weir.spend_daily
WHERE day >= weir_litellm.month_ago()
GROUP BY day, key_hash, user_id;

CREATE VIEW weir_litellm."Last30dKeysBySpend" AS
SELECT d.key_hash AS api_key, v.key_alias, v.key_name, weir_litellm.dollars(SUM(d.cost)) AS total_spend
FROM weir.spend_daily d
LEFT JOIN weir_litellm."LiteLLM_VerificationToken" v ON v.token = d.key_hash
WHERE d.day >= weir_litellm.month_ago()
GROUP BY d.key_hash, v.key_alias, v.key_name
ORDER BY total_spend DESC;

CREATE VIEW weir_litellm."Last30dModelsBySpend" AS
SELECT weir_litellm.model(provider, model) AS model, weir_litellm.dollars(SUM(cost)) AS total_spend
FROM weir.spend_daily
WHERE day >= weir_litellm.month_ago() AND model <> ''
GROUP BY weir_litellm.model(provider, model)
ORDER BY total_spend DESC;

CREATE VIEW weir_litellm."Last30dTopEndUsersSpend" AS
SELECT customer AS end_user, SUM(requests)::bigint AS total_events, weir_litellm.dollars(SUM(cost)) AS total_spend
FROM weir.spend_daily_customer
WHERE day >= weir_litellm.month_ago() AND customer <> ''
GROUP BY customer
ORDER BY total_spend DESC
LIMIT 100;

CREATE VIEW weir_litellm."DailyTagSpend" AS
SELECT tag AS individual_request_tag,
    weir_litellm.day(day) AS spend_date,
    SUM(requests)::bigint AS log_count,
    weir_litellm.dollars(SUM(cost)) AS total_spend
FROM weir.spend_daily_tag
GROUP BY tag, day;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'litellm') THEN
        ALTER SCHEMA weir_litellm RENAME TO litellm;
    END IF;
END
$$;
