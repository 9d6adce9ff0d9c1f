-- The view of entries tells under which key of the cache an answer was looked for, in LiteLLM's words where it was not.
--
-- The schema of the views is ours where our functions are in it. Whoever has taken the views away does without them.
DO $$
BEGIN
    IF to_regprocedure('weir_litellm.object(text)') IS NULL THEN
        IF to_regprocedure('litellm.object(text)') IS NULL THEN
            RETURN;
        END IF;
        ALTER SCHEMA litellm RENAME TO weir_litellm;
    END IF;

    CREATE OR REPLACE VIEW weir_litellm."LiteLLM_SpendLogs" AS
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
        COALESCE(NULLIF(d ->> 'cache_key', ''), 'Cache OFF') AS cache_key,
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

    IF to_regnamespace('litellm') IS NULL THEN
        ALTER SCHEMA weir_litellm RENAME TO litellm;
    END IF;
END
$$;
