-- The tables of LiteLLM 1.81 by name, column and type, for tests. Made from facts, not from its migrations.

CREATE TYPE "JobStatus" AS ENUM ('ACTIVE', 'INACTIVE');

CREATE TABLE "LiteLLM_BudgetTable" (
    budget_id TEXT NOT NULL,
    max_budget DOUBLE PRECISION,
    soft_budget DOUBLE PRECISION,
    max_parallel_requests INTEGER,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    model_max_budget JSONB,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (budget_id)
);

CREATE TABLE "LiteLLM_ObjectPermissionTable" (
    object_permission_id TEXT NOT NULL,
    mcp_servers TEXT[] DEFAULT '{}',
    vector_stores TEXT[] DEFAULT '{}',
    mcp_access_groups TEXT[] DEFAULT '{}',
    mcp_tool_permissions JSONB,
    agents TEXT[] DEFAULT '{}',
    agent_access_groups TEXT[] DEFAULT '{}',
    PRIMARY KEY (object_permission_id)
);

CREATE TABLE "LiteLLM_ModelTable" (
    id SERIAL,
    aliases JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_OrganizationTable" (
    organization_id TEXT NOT NULL,
    organization_alias TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    metadata JSONB NOT NULL DEFAULT '{}',
    models TEXT[],
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    model_spend JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    object_permission_id TEXT,
    PRIMARY KEY (organization_id),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id),
    FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id)
);

CREATE TABLE "LiteLLM_UserTable" (
    user_id TEXT NOT NULL,
    user_alias TEXT,
    team_id TEXT,
    sso_user_id TEXT,
    organization_id TEXT,
    password TEXT,
    teams TEXT[] DEFAULT '{}',
    user_role TEXT,
    max_budget DOUBLE PRECISION,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    user_email TEXT,
    models TEXT[],
    metadata JSONB NOT NULL DEFAULT '{}',
    max_parallel_requests INTEGER,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    allowed_cache_controls TEXT[] DEFAULT '{}',
    model_spend JSONB NOT NULL DEFAULT '{}',
    model_max_budget JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    object_permission_id TEXT,
    PRIMARY KEY (user_id),
    UNIQUE (sso_user_id),
    FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id),
    FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id)
);

CREATE TABLE "LiteLLM_VerificationToken" (
    token TEXT NOT NULL,
    key_name TEXT,
    key_alias TEXT,
    soft_budget_cooldown BOOLEAN NOT NULL DEFAULT false,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    expires TIMESTAMP(3),
    models TEXT[],
    aliases JSONB NOT NULL DEFAULT '{}',
    config JSONB NOT NULL DEFAULT '{}',
    user_id TEXT,
    team_id TEXT,
    permissions JSONB NOT NULL DEFAULT '{}',
    max_parallel_requests INTEGER,
    metadata JSONB NOT NULL DEFAULT '{}',
    blocked BOOLEAN,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    max_budget DOUBLE PRECISION,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    allowed_cache_controls TEXT[] DEFAULT '{}',
    model_spend JSONB NOT NULL DEFAULT '{}',
    model_max_budget JSONB NOT NULL DEFAULT '{}',
    budget_id TEXT,
    organization_id TEXT,
    created_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT,
    allowed_routes TEXT[] DEFAULT '{}',
    object_permission_id TEXT,
    auto_rotate BOOLEAN DEFAULT false,
    key_rotation_at TIMESTAMP(3),
    last_rotation_at TIMESTAMP(3),
    rotation_count INTEGER DEFAULT 0,
    rotation_interval TEXT,
    router_settings JSONB DEFAULT '{}',
    PRIMARY KEY (token),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id),
    FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id),
    FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id)
);

CREATE TABLE "LiteLLM_TeamTable" (
    team_id TEXT NOT NULL,
    team_alias TEXT,
    organization_id TEXT,
    admins TEXT[],
    members TEXT[],
    members_with_roles JSONB NOT NULL DEFAULT '{}',
    metadata JSONB NOT NULL DEFAULT '{}',
    max_budget DOUBLE PRECISION,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    models TEXT[],
    max_parallel_requests INTEGER,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    blocked BOOLEAN NOT NULL DEFAULT false,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    model_spend JSONB NOT NULL DEFAULT '{}',
    model_max_budget JSONB NOT NULL DEFAULT '{}',
    model_id INTEGER,
    team_member_permissions TEXT[] DEFAULT '{}',
    object_permission_id TEXT,
    router_settings JSONB DEFAULT '{}',
    PRIMARY KEY (team_id),
    UNIQUE (model_id),
    FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id),
    FOREIGN KEY (model_id) REFERENCES "LiteLLM_ModelTable"(id),
    FOREIGN KEY (object_permission_id) REFERENCES "LiteLLM_ObjectPermissionTable"(object_permission_id)
);

CREATE TABLE "LiteLLM_TeamMembership" (
    user_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    budget_id TEXT,
    PRIMARY KEY (user_id, team_id),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id)
);

CREATE TABLE "LiteLLM_OrganizationMembership" (
    user_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    user_role TEXT,
    spend DOUBLE PRECISION DEFAULT 0.0,
    budget_id TEXT,
    created_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (user_id, organization_id),
    FOREIGN KEY (user_id) REFERENCES "LiteLLM_UserTable"(user_id),
    FOREIGN KEY (organization_id) REFERENCES "LiteLLM_OrganizationTable"(organization_id),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id)
);

CREATE TABLE "LiteLLM_EndUserTable" (
    user_id TEXT NOT NULL,
    alias TEXT,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    allowed_model_region TEXT,
    default_model TEXT,
    budget_id TEXT,
    blocked BOOLEAN NOT NULL DEFAULT false,
    PRIMARY KEY (user_id),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id)
);

CREATE TABLE "LiteLLM_SpendLogs" (
    request_id TEXT NOT NULL,
    call_type TEXT NOT NULL,
    api_key TEXT NOT NULL DEFAULT '',
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    total_tokens INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    "startTime" TIMESTAMP(3) NOT NULL,
    "endTime" TIMESTAMP(3) NOT NULL,
    "completionStartTime" TIMESTAMP(3),
    model TEXT NOT NULL DEFAULT '',
    model_id TEXT DEFAULT '',
    model_group TEXT DEFAULT '',
    custom_llm_provider TEXT DEFAULT '',
    api_base TEXT DEFAULT '',
    "user" TEXT DEFAULT '',
    metadata JSONB DEFAULT '{}',
    cache_hit TEXT DEFAULT '',
    cache_key TEXT DEFAULT '',
    request_tags JSONB DEFAULT '[]',
    team_id TEXT,
    end_user TEXT,
    requester_ip_address TEXT,
    messages JSONB DEFAULT '{}',
    response JSONB DEFAULT '{}',
    proxy_server_request JSONB DEFAULT '{}',
    session_id TEXT,
    status TEXT,
    mcp_namespaced_tool_name TEXT,
    agent_id TEXT,
    organization_id TEXT,
    PRIMARY KEY (request_id)
);
CREATE INDEX ON "LiteLLM_SpendLogs" ("startTime");

CREATE TABLE "LiteLLM_DailyUserSpend" (
    id TEXT NOT NULL,
    user_id TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    api_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    mcp_namespaced_tool_name TEXT,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (user_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_DailyTeamSpend" (
    id TEXT NOT NULL,
    team_id TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    api_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    mcp_namespaced_tool_name TEXT,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (team_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_ProxyModelTable" (
    model_id TEXT NOT NULL,
    model_name TEXT NOT NULL,
    litellm_params JSONB NOT NULL,
    model_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (model_id)
);

CREATE TABLE "LiteLLM_CredentialsTable" (
    credential_id TEXT NOT NULL,
    credential_name TEXT NOT NULL,
    credential_values JSONB NOT NULL,
    credential_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (credential_id),
    UNIQUE (credential_name)
);

CREATE TABLE "LiteLLM_Config" (
    param_name TEXT NOT NULL,
    param_value JSONB,
    PRIMARY KEY (param_name)
);

CREATE TABLE "LiteLLM_AuditLog" (
    id TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    changed_by TEXT NOT NULL DEFAULT '',
    changed_by_api_key TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    table_name TEXT NOT NULL,
    object_id TEXT NOT NULL,
    before_value JSONB,
    updated_values JSONB,
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_AgentsTable" (
    agent_id TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    litellm_params JSONB,
    agent_card_params JSONB NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT NOT NULL,
    agent_access_groups TEXT[] DEFAULT '{}',
    PRIMARY KEY (agent_id),
    UNIQUE (agent_name)
);

CREATE TABLE "LiteLLM_CacheConfig" (
    id TEXT NOT NULL DEFAULT 'cache_config',
    cache_settings JSONB NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_CronJob" (
    cronjob_id TEXT NOT NULL,
    pod_id TEXT NOT NULL,
    status "JobStatus" NOT NULL DEFAULT 'INACTIVE',
    last_updated TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ttl TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (cronjob_id)
);

CREATE TABLE "LiteLLM_DailyAgentSpend" (
    id TEXT NOT NULL,
    agent_id TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    mcp_namespaced_tool_name TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    api_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (agent_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_DailyEndUserSpend" (
    id TEXT NOT NULL,
    end_user_id TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    mcp_namespaced_tool_name TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    api_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (end_user_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_DailyOrganizationSpend" (
    id TEXT NOT NULL,
    organization_id TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    mcp_namespaced_tool_name TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    api_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (organization_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_DailyTagSpend" (
    id TEXT NOT NULL,
    tag TEXT,
    date TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT,
    model_group TEXT,
    custom_llm_provider TEXT,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    cache_read_input_tokens BIGINT NOT NULL DEFAULT 0,
    cache_creation_input_tokens BIGINT NOT NULL DEFAULT 0,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    api_requests BIGINT NOT NULL DEFAULT 0,
    successful_requests BIGINT NOT NULL DEFAULT 0,
    failed_requests BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    mcp_namespaced_tool_name TEXT,
    request_id TEXT,
    endpoint TEXT,
    PRIMARY KEY (id),
    UNIQUE (tag, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
);

CREATE TABLE "LiteLLM_DeletedTeamTable" (
    id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    team_alias TEXT,
    organization_id TEXT,
    object_permission_id TEXT,
    admins TEXT[],
    members TEXT[],
    members_with_roles JSONB NOT NULL DEFAULT '{}',
    metadata JSONB NOT NULL DEFAULT '{}',
    max_budget DOUBLE PRECISION,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    models TEXT[],
    max_parallel_requests INTEGER,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    blocked BOOLEAN NOT NULL DEFAULT false,
    model_spend JSONB NOT NULL DEFAULT '{}',
    model_max_budget JSONB NOT NULL DEFAULT '{}',
    team_member_permissions TEXT[] DEFAULT '{}',
    model_id INTEGER,
    created_at TIMESTAMP(3),
    updated_at TIMESTAMP(3),
    deleted_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted_by TEXT,
    deleted_by_api_key TEXT,
    litellm_changed_by TEXT,
    router_settings JSONB DEFAULT '{}',
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_DeletedVerificationToken" (
    id TEXT NOT NULL,
    token TEXT NOT NULL,
    key_name TEXT,
    key_alias TEXT,
    soft_budget_cooldown BOOLEAN NOT NULL DEFAULT false,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    expires TIMESTAMP(3),
    models TEXT[],
    aliases JSONB NOT NULL DEFAULT '{}',
    config JSONB NOT NULL DEFAULT '{}',
    user_id TEXT,
    team_id TEXT,
    permissions JSONB NOT NULL DEFAULT '{}',
    max_parallel_requests INTEGER,
    metadata JSONB NOT NULL DEFAULT '{}',
    blocked BOOLEAN,
    tpm_limit BIGINT,
    rpm_limit BIGINT,
    max_budget DOUBLE PRECISION,
    budget_duration TEXT,
    budget_reset_at TIMESTAMP(3),
    allowed_cache_controls TEXT[] DEFAULT '{}',
    allowed_routes TEXT[] DEFAULT '{}',
    model_spend JSONB NOT NULL DEFAULT '{}',
    model_max_budget JSONB NOT NULL DEFAULT '{}',
    budget_id TEXT,
    organization_id TEXT,
    object_permission_id TEXT,
    created_at TIMESTAMP(3),
    created_by TEXT,
    updated_at TIMESTAMP(3),
    updated_by TEXT,
    rotation_count INTEGER DEFAULT 0,
    auto_rotate BOOLEAN DEFAULT false,
    rotation_interval TEXT,
    last_rotation_at TIMESTAMP(3),
    key_rotation_at TIMESTAMP(3),
    deleted_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted_by TEXT,
    deleted_by_api_key TEXT,
    litellm_changed_by TEXT,
    router_settings JSONB DEFAULT '{}',
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_ErrorLogs" (
    request_id TEXT NOT NULL,
    "startTime" TIMESTAMP(3) NOT NULL,
    "endTime" TIMESTAMP(3) NOT NULL,
    api_base TEXT NOT NULL DEFAULT '',
    model_group TEXT NOT NULL DEFAULT '',
    litellm_model_name TEXT NOT NULL DEFAULT '',
    model_id TEXT NOT NULL DEFAULT '',
    request_kwargs JSONB NOT NULL DEFAULT '{}',
    exception_type TEXT NOT NULL DEFAULT '',
    exception_string TEXT NOT NULL DEFAULT '',
    status_code TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (request_id)
);

CREATE TABLE "LiteLLM_GuardrailsTable" (
    guardrail_id TEXT NOT NULL,
    guardrail_name TEXT NOT NULL,
    litellm_params JSONB NOT NULL,
    guardrail_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (guardrail_id),
    UNIQUE (guardrail_name)
);

CREATE TABLE "LiteLLM_HealthCheckTable" (
    health_check_id TEXT NOT NULL,
    model_name TEXT NOT NULL,
    model_id TEXT,
    status TEXT NOT NULL,
    healthy_count INTEGER NOT NULL DEFAULT 0,
    unhealthy_count INTEGER NOT NULL DEFAULT 0,
    error_message TEXT,
    response_time_ms DOUBLE PRECISION,
    details JSONB,
    checked_by TEXT,
    checked_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (health_check_id)
);

CREATE TABLE "LiteLLM_InvitationLink" (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    is_accepted BOOLEAN NOT NULL DEFAULT false,
    accepted_at TIMESTAMP(3),
    expires_at TIMESTAMP(3) NOT NULL,
    created_at TIMESTAMP(3) NOT NULL,
    created_by TEXT NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES "LiteLLM_UserTable"(user_id),
    FOREIGN KEY (created_by) REFERENCES "LiteLLM_UserTable"(user_id),
    FOREIGN KEY (updated_by) REFERENCES "LiteLLM_UserTable"(user_id)
);

CREATE TABLE "LiteLLM_MCPServerTable" (
    server_id TEXT NOT NULL,
    server_name TEXT,
    description TEXT,
    url TEXT,
    transport TEXT NOT NULL DEFAULT 'sse',
    auth_type TEXT,
    created_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT,
    status TEXT DEFAULT 'unknown',
    last_health_check TIMESTAMP(3),
    health_check_error TEXT,
    mcp_info JSONB DEFAULT '{}',
    args TEXT[] DEFAULT '{}',
    command TEXT,
    env JSONB DEFAULT '{}',
    mcp_access_groups TEXT[],
    alias TEXT,
    allowed_tools TEXT[] DEFAULT '{}',
    extra_headers TEXT[] DEFAULT '{}',
    static_headers JSONB DEFAULT '{}',
    credentials JSONB DEFAULT '{}',
    authorization_url TEXT,
    registration_url TEXT,
    token_url TEXT,
    allow_all_keys BOOLEAN NOT NULL DEFAULT false,
    PRIMARY KEY (server_id)
);

CREATE TABLE "LiteLLM_ManagedFileTable" (
    id TEXT NOT NULL,
    unified_file_id TEXT NOT NULL,
    file_object JSONB,
    model_mappings JSONB NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    created_by TEXT,
    flat_model_file_ids TEXT[] DEFAULT '{}',
    updated_by TEXT,
    storage_backend TEXT,
    storage_url TEXT,
    PRIMARY KEY (id),
    UNIQUE (unified_file_id)
);

CREATE TABLE "LiteLLM_ManagedObjectTable" (
    id TEXT NOT NULL,
    unified_object_id TEXT NOT NULL,
    model_object_id TEXT NOT NULL,
    file_object JSONB NOT NULL,
    file_purpose TEXT NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) NOT NULL,
    updated_by TEXT,
    status TEXT,
    PRIMARY KEY (id),
    UNIQUE (model_object_id),
    UNIQUE (unified_object_id)
);

CREATE TABLE "LiteLLM_ManagedVectorStoreIndexTable" (
    id TEXT NOT NULL,
    index_name TEXT NOT NULL,
    litellm_params JSONB NOT NULL,
    index_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (id),
    UNIQUE (index_name)
);

CREATE TABLE "LiteLLM_ManagedVectorStoresTable" (
    vector_store_id TEXT NOT NULL,
    custom_llm_provider TEXT NOT NULL,
    vector_store_name TEXT,
    vector_store_description TEXT,
    vector_store_metadata JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    litellm_credential_name TEXT,
    litellm_params JSONB,
    PRIMARY KEY (vector_store_id)
);

CREATE TABLE "LiteLLM_PromptTable" (
    id TEXT NOT NULL,
    prompt_id TEXT NOT NULL,
    litellm_params JSONB NOT NULL,
    prompt_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (id),
    UNIQUE (prompt_id, version)
);

CREATE TABLE "LiteLLM_SSOConfig" (
    id TEXT NOT NULL DEFAULT 'sso_config',
    sso_settings JSONB NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_SearchToolsTable" (
    search_tool_id TEXT NOT NULL,
    search_tool_name TEXT NOT NULL,
    litellm_params JSONB NOT NULL,
    search_tool_info JSONB,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (search_tool_name),
    UNIQUE (search_tool_id)
);

CREATE TABLE "LiteLLM_SkillsTable" (
    skill_id TEXT NOT NULL,
    display_title TEXT,
    description TEXT,
    instructions TEXT,
    source TEXT NOT NULL DEFAULT 'custom',
    latest_version TEXT,
    file_content BYTEA,
    file_name TEXT,
    file_type TEXT,
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_by TEXT,
    PRIMARY KEY (skill_id)
);

CREATE TABLE "LiteLLM_TagTable" (
    tag_name TEXT NOT NULL,
    description TEXT,
    models TEXT[],
    model_info JSONB,
    spend DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    budget_id TEXT,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by TEXT,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (tag_name),
    FOREIGN KEY (budget_id) REFERENCES "LiteLLM_BudgetTable"(budget_id)
);

CREATE TABLE "LiteLLM_UISettings" (
    id TEXT NOT NULL DEFAULT 'ui_settings',
    ui_settings JSONB NOT NULL,
    created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE "LiteLLM_UserNotifications" (
    request_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    models TEXT[],
    justification TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (request_id)
);
