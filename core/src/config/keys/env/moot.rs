//! Variables of LiteLLM's that count for nothing here.

/// Why, and whom it is said of.
pub(super) static MOOT: &[(&str, &str)] = &[
    (
        "it is about LiteLLM's process in Python, whose caches, queues and workers are not here",
        "
        AIOHTTP_CONNECTOR_LIMIT AIOHTTP_CONNECTOR_LIMIT_PER_HOST AIOHTTP_KEEPALIVE_TIMEOUT AIOHTTP_TTL_DNS_CACHE
        APSCHEDULER_COALESCE APSCHEDULER_MAX_INSTANCES APSCHEDULER_MISFIRE_GRACE_TIME
        APSCHEDULER_REPLACE_EXISTING COROUTINE_CHECKER_MAX_SIZE_IN_MEMORY
        DD_TRACER_STREAMING_CHUNK_YIELD_RESOURCE DEFAULT_CRON_JOB_LOCK_TTL_SECONDS DEFAULT_IN_MEMORY_TTL
        DEFAULT_MANAGEMENT_OBJECT_IN_MEMORY_CACHE_TTL DEFAULT_MAX_LRU_CACHE_SIZE DEFAULT_MAX_RECURSE_DEPTH
        DEFAULT_MAX_RECURSE_DEPTH_SENSITIVE_DATA_MASKER DEFAULT_MAX_REDIS_BATCH_CACHE_SIZE
        DEFAULT_NUM_WORKERS_LITELLM_PROXY DEFAULT_POLLING_INTERVAL DEFAULT_REDIS_MAJOR_VERSION
        DEFAULT_REDIS_SYNC_INTERVAL EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER LITELLM_DISABLE_LAZY_LOADING
        LITELLM_MODE LITELLM_NON_ROOT LITELLM_PROFILE LOGGING_WORKER_AGGRESSIVE_CLEAR_COOLDOWN_SECONDS
        LOGGING_WORKER_CLEAR_PERCENTAGE LOGGING_WORKER_CONCURRENCY LOGGING_WORKER_MAX_QUEUE_SIZE
        LOGGING_WORKER_MAX_TIME_PER_COROUTINE MAXIMUM_TRACEBACK_LINES_TO_LOG MAX_IN_MEMORY_QUEUE_FLUSH_COUNT
        MAX_ITERATIONS_TO_CLEAR_QUEUE MAX_LANGFUSE_INITIALIZED_CLIENTS MAX_REDIS_BUFFER_DEQUEUE_COUNT
        MAX_REQUESTS_BEFORE_RESTART MAX_SIZE_IN_MEMORY_QUEUE MAX_SIZE_PER_ITEM_IN_MEMORY_CACHE_IN_KB
        MAX_TIME_TO_CLEAR_QUEUE PROMETHEUS_MULTIPROC_DIR PYTHON_GC_THRESHOLD SPEND_LOG_QUEUE_POLL_INTERVAL
        SPEND_LOG_QUEUE_SIZE_THRESHOLD WORKER_CONFIG",
    ),
    (
        "Weir speaks to PostgreSQL by itself, without Prisma; DATABASE_URL is all that it needs",
        "
        DIRECT_URL DISABLE_PRISMA_HEALTH_CHECK_ON_STARTUP USE_PRISMA_MIGRATE",
    ),
    (
        "the database is signed in to with what DATABASE_URL says",
        "
        IAM_TOKEN_DB_AUTH",
    ),
    (
        "entries are in the journal at once, and in the ledger half a second later",
        "
        PROXY_BATCH_WRITE_AT",
    ),
    (
        "budgets begin anew at their own time, to the second, and not when a job comes by",
        "
        PROXY_BUDGET_RESCHEDULER_MAX_TIME PROXY_BUDGET_RESCHEDULER_MIN_TIME",
    ),
    (
        "there is no API for files and batches here; see OUT_OF_SCOPE.md",
        "
        AWS_BATCH_ROLE_ARN AWS_S3_BUCKET_NAME AWS_S3_ENCRYPTION_KEY_ID AWS_S3_OUTPUT_BUCKET_NAME
        BATCH_STATUS_POLL_INTERVAL_SECONDS BATCH_STATUS_POLL_MAX_ATTEMPTS PROXY_BATCH_POLLING_INTERVAL",
    ),
    (
        "entries past maximum_spend_logs_retention_period go in small pieces until none is left",
        "
        SPEND_LOG_CLEANUP_BATCH_SIZE SPEND_LOG_RUN_LOOPS",
    ),
    (
        "prices are those of the price map, and of input_cost_per_token and its like over it",
        "
        AZURE_COMPUTER_USE_INPUT_COST_PER_1K_TOKENS AZURE_COMPUTER_USE_OUTPUT_COST_PER_1K_TOKENS
        AZURE_FILE_SEARCH_COST_PER_GB_PER_DAY AZURE_VECTOR_STORE_COST_PER_GB_PER_DAY
        DEFAULT_REPLICATE_GPU_PRICE_PER_SECOND FIREWORKS_AI_16_B FIREWORKS_AI_176_B_MOE FIREWORKS_AI_4_B
        FIREWORKS_AI_56_B_MOE FIREWORKS_AI_80_B OPENAI_FILE_SEARCH_COST_PER_1K_CALLS TOGETHER_AI_110_B
        TOGETHER_AI_21_B TOGETHER_AI_41_B TOGETHER_AI_4_B TOGETHER_AI_80_B TOGETHER_AI_8_B
        TOGETHER_AI_EMBEDDING_150_M TOGETHER_AI_EMBEDDING_350_M",
    ),
    (
        "prices are compiled in, and fetched when somebody asks for it (weir_settings.price_map_url)",
        "
        LITELLM_LOCAL_MODEL_COST_MAP",
    ),
    (
        "of secret managers AWS Secrets Manager and Vault are asked (key_management_system); give secrets of others as variables",
        "
        AZURE_KEY_VAULT_URI CYBERARK_ACCOUNT CYBERARK_API_BASE CYBERARK_API_KEY CYBERARK_CLIENT_CERT
        CYBERARK_CLIENT_KEY CYBERARK_REFRESH_INTERVAL CYBERARK_SSL_VERIFY CYBERARK_USERNAME
        GOOGLE_KMS_RESOURCE_NAME GOOGLE_SECRET_MANAGER_ALWAYS_READ_SECRET_MANAGER
        GOOGLE_SECRET_MANAGER_PROJECT_ID GOOGLE_SECRET_MANAGER_REFRESH_INTERVAL
        LITELLM_SECRET_AWS_KMS_LITELLM_LICENSE USE_AWS_KMS",
    ),
    (
        "secrets are asked for once, before the start; `weir upgrade` asks again without breaking anything off",
        "
        HCP_VAULT_REFRESH_INTERVAL SECRET_MANAGER_REFRESH_INTERVAL",
    ),
    (
        "Vault knows this gateway by HCP_VAULT_TOKEN or an AppRole",
        "
        HCP_VAULT_CERT_ROLE HCP_VAULT_CLIENT_CERT HCP_VAULT_CLIENT_KEY",
    ),
    (
        "no e-mails are sent; alerting: [slack, webhook] tells programs that send them",
        "
        EMAIL_BUDGET_ALERT_MAX_SPEND_ALERT_PERCENTAGE EMAIL_BUDGET_ALERT_TTL RESEND_API_KEY SENDGRID_API_KEY
        SMTP_HOST SMTP_PASSWORD SMTP_PORT SMTP_SENDER_EMAIL SMTP_TLS SMTP_USERNAME TEST_EMAIL_ADDRESS",
    ),
    (
        "it is about LiteLLM's UI; Weir has its own at /ui",
        "
        EXPERIMENTAL_UI_LOGIN LITELLM_DONT_SHOW_FEEDBACK_BOX LITELLM_UI_API_DOC_BASE_URL
        MAX_SPENDLOG_ROWS_TO_QUERY MAX_TEAM_LIST_LIMIT UI_LOGO_PATH",
    ),
    (
        "there is no MCP and no A2A gateway here; see OUT_OF_SCOPE.md",
        "
        DEFAULT_A2A_AGENT_TIMEOUT LITELLM_MCP_CLIENT_SIDE_AUTH_HEADER_NAME MCP_TOOL_PREFIX_SEPARATOR",
    ),
    (
        "keys with auto_rotate are rotated at their own time",
        "
        LITELLM_KEY_ROTATION_CHECK_INTERVAL_SECONDS LITELLM_KEY_ROTATION_ENABLED",
    ),
    (
        "who changed what is kept unless litellm_settings.store_audit_logs is false",
        "
        LITELLM_STORE_AUDIT_LOGS",
    ),
    (
        "Redis is waited for as long as weir_settings.redis_timeout says",
        "
        REDIS_CONNECTION_POOL_TIMEOUT REDIS_SOCKET_TIMEOUT",
    ),
    (
        "router_settings say it: num_retries, retry_after, allowed_fails, cooldown_time, max_fallbacks",
        "
        DEFAULT_ALLOWED_FAILS DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS DEFAULT_FAILURE_THRESHOLD_PERCENT
        DEFAULT_MAX_RETRIES INITIAL_RETRY_DELAY JITTER MAX_RETRY_DELAY ROUTER_MAX_FALLBACKS
        SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD",
    ),
    (
        "a request beyond a limit is answered 429 at once and never tried again here",
        "
        LITELLM_GLOBAL_MAX_PARALLEL_REQUEST_RETRIES LITELLM_GLOBAL_MAX_PARALLEL_REQUEST_RETRY_TIMEOUT",
    ),
    (
        "limits are counted together in Redis, where router_settings name one",
        "
        LEGACY_MULTI_INSTANCE_RATE_LIMITING",
    ),
    (
        "each replica asks for itself; a longer health_check_interval makes fewer calls",
        "
        DEFAULT_SHARED_HEALTH_CHECK_LOCK_TTL DEFAULT_SHARED_HEALTH_CHECK_TTL",
    ),
    (
        "it is about LiteLLM's own counting of tokens; what the provider counts is booked",
        "
        DEFAULT_IMAGE_HEIGHT DEFAULT_IMAGE_TOKEN_COUNT DEFAULT_IMAGE_WIDTH
        DEFAULT_MOCK_RESPONSE_COMPLETION_TOKEN_COUNT DEFAULT_MOCK_RESPONSE_PROMPT_TOKEN_COUNT DEFAULT_TRIM_RATIO
        FUNCTION_DEFINITION_TOKEN_COUNT MAX_LONG_SIDE_FOR_IMAGE_HIGH_RES MAX_SHORT_SIDE_FOR_IMAGE_HIGH_RES
        MAX_TILE_HEIGHT MAX_TILE_WIDTH MAX_TOKEN_TRIMMING_ATTEMPTS SYSTEM_MESSAGE_TOKEN_COUNT
        TOOL_CHOICE_OBJECT_TOKEN_COUNT",
    ),
    (
        "mount the file, or fetch it before the start; SIGHUP reads it again",
        "
        LITELLM_CONFIG_BUCKET_NAME LITELLM_CONFIG_BUCKET_OBJECT_KEY LITELLM_CONFIG_BUCKET_TYPE",
    ),
    (
        "made keys have 22 random characters; POST /key/generate takes a key of one's own",
        "
        LENGTH_OF_LITELLM_GENERATED_KEY",
    ),
    (
        "keys are shown by no more than their last four characters; key_alias gives them names",
        "
        DISABLE_KEY_NAME",
    ),
    (
        "idle connections of clients are kept for 75 seconds",
        "
        KEEPALIVE_TIMEOUT",
    ),
    (
        "LITELLM_LOG and WEIR_LOG say how much is logged",
        "
        DEBUG",
    ),
    (
        "/metrics is scraped, and nothing is asked of Prometheus; dashboards/ has what to look at",
        "
        PROMETHEUS_FALLBACK_STATS_SEND_TIME_HOURS PROMETHEUS_URL",
    ),
    (
        "callbacks: [generic_api] tells a program of every request",
        "
        SPEND_LOGS_URL",
    ),
    (
        "a role of AWS is taken with AWS_WEB_IDENTITY_TOKEN_FILE",
        "
        ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL CIRCLE_OIDC_TOKEN CIRCLE_OIDC_TOKEN_V2",
    ),
    (
        "every path is documented; NO_DOCS switches the pages off",
        "
        DOCS_FILTERED",
    ),
    (
        "the model is named by model_list, and by requests",
        "
        LITELLM_MODEL",
    ),
    (
        "it is of a guardrail that is not served; use generic_guardrail_api in front of that service",
        "
        AIM_API_BASE AIM_API_KEY DYNAMOAI_API_BASE DYNAMOAI_API_KEY DYNAMOAI_MODEL_ID DYNAMOAI_POLICY_IDS
        ENKRYPTAI_API_BASE ENKRYPTAI_API_KEY GRAYSWAN_API_BASE GRAYSWAN_API_KEY GRAYSWAN_REASONING_MODE
        GRAYSWAN_VIOLATION_THRESHOLD GUARDRAILS_AI_API_BASE HIDDENLAYER_API_BASE HIDDENLAYER_AUTH_URL
        HIDDENLAYER_CLIENT_ID HIDDENLAYER_CLIENT_SECRET IBM_GUARDRAILS_AUTH_TOKEN JAVELIN_API_BASE
        JAVELIN_API_KEY LAKERA_API_BASE LASSO_API_BASE LASSO_API_KEY LASSO_CONVERSATION_ID LASSO_USER_ID
        NOMA_ANONYMIZE_INPUT NOMA_API_BASE NOMA_API_KEY NOMA_APPLICATION_ID NOMA_BLOCK_FAILURES
        NOMA_MONITOR_MODE ONYX_API_BASE ONYX_API_KEY PANGEA_API_BASE PANGEA_API_KEY PANW_PRISMA_AIRS_API_BASE
        PANW_PRISMA_AIRS_API_KEY PILLAR_API_BASE PILLAR_API_KEY PILLAR_FALLBACK_ON_ERROR
        PILLAR_ON_FLAGGED_ACTION PILLAR_TIMEOUT PROMPT_SECURITY_API_BASE PROMPT_SECURITY_API_KEY
        PROMPT_SECURITY_SYSTEM_PROMPT PROMPT_SECURITY_USER QUALIFIRE_API_KEY QUALIFIRE_BASE_URL
        SEND_USER_API_KEY_ALIAS SEND_USER_API_KEY_TEAM_ID SEND_USER_API_KEY_USER_ID ZSCALER_AI_GUARD_API_KEY
        ZSCALER_AI_GUARD_POLICY_ID ZSCALER_AI_GUARD_URL",
    ),
    (
        "its provider is not served; where that speaks OpenAI's dialect, name its address in api_base of an openai_like model",
        "
        ALEPHALPHA_API_KEY ALEPH_ALPHA_API_BASE ALEPH_ALPHA_API_KEY BYTEZ_API_KEY CLOUDFLARE_ACCOUNT_ID
        CLOUDFLARE_API_BASE CLOUDFLARE_API_KEY DEFAULT_MAX_TOKENS_FOR_TRITON
        DEFAULT_REPLICATE_POLLING_DELAY_SECONDS DEFAULT_REPLICATE_POLLING_RETRIES GIGACHAT_API_KEY
        GIGACHAT_CREDENTIALS MARITALK_API_BASE MARITALK_API_KEY NLP_CLOUD_API_BASE NLP_CLOUD_API_KEY
        PREDIBASE_API_BASE PREDIBASE_API_KEY PREDIBASE_TENANT_ID REPLICATE_API_BASE REPLICATE_API_KEY
        REPLICATE_API_TOKEN REPLICATE_MODEL_NAME_WITH_ID_LENGTH REPLICATE_POLLING_DELAY_SECONDS SNOWFLAKE_JWT
        WATSONX_APIKEY WATSONX_API_BASE WATSONX_API_KEY WATSONX_URL WML_URL WX_API_KEY WX_URL",
    ),
    (
        "there is no API for videos, OCR, searches or vector stores here; see OUT_OF_SCOPE.md",
        "
        AZURE_DOCUMENT_INTELLIGENCE_API_VERSION AZURE_DOCUMENT_INTELLIGENCE_DEFAULT_DPI
        AZURE_OPERATION_POLLING_TIMEOUT DEFAULT_CHUNK_OVERLAP DEFAULT_CHUNK_SIZE
        DEFAULT_DATAFORSEO_LOCATION_CODE DEFAULT_GOOGLE_VIDEO_DURATION_SECONDS RUNWAYML_DEFAULT_API_VERSION
        RUNWAYML_POLLING_TIMEOUT",
    ),
    (
        "answers are kept in memory or Redis; set type: local or type: redis in cache_params",
        "
        QDRANT_API_BASE QDRANT_API_KEY QDRANT_SCALAR_QUANTILE QDRANT_URL QDRANT_VECTOR_SIZE",
    ),
    (
        "Redis is reached by a password; put one that lasts in REDIS_PASSWORD",
        "
        REDIS_GCP_SERVICE_ACCOUNT",
    ),
    (
        "Redis over TLS trusts the roots of the system; name others in SSL_CERT_DIR or SSL_CERT_FILE",
        "
        REDIS_GCP_SSL_CA_CERTS",
    ),
    (
        "TLS is always 1.2 or newer, with the strong ciphers of rustls",
        "
        LITELLM_SSL_CIPHERS",
    ),
    (
        "Entra is asked with AZURE_CLIENT_SECRET, with AZURE_FEDERATED_TOKEN_FILE, or as this machine or pod",
        "
        AZURE_CERTIFICATE_PASSWORD AZURE_CERTIFICATE_PATH AZURE_CREDENTIAL AZURE_PASSWORD AZURE_USERNAME",
    ),
    (
        "a key or a token says how Azure is asked: AZURE_API_KEY, AZURE_AD_TOKEN, AZURE_CLIENT_SECRET",
        "
        AZURE_API_TYPE",
    ),
    (
        "roles of AWS are taken as they are, without a policy that takes something away",
        "
        BEDROCK_MAX_POLICY_SIZE",
    ),
    (
        "LiteLLM does not read it either; people sign in by GENERIC_CLIENT_ID and the variables beside it",
        "
        OPENID_BASE_URL OPENID_CLIENT_ID OPENID_CLIENT_SECRET",
    ),
    (
        "what comes is passed on piece by piece as it comes, whatever its size",
        "
        AUDIO_SPEECH_CHUNK_SIZE REALTIME_WEBSOCKET_MAX_MESSAGE_SIZE_BYTES",
    ),
    (
        "an answer from the cache is sent at once",
        "
        CACHED_STREAMING_CHUNK_DELAY",
    ),
    (
        "a model that repeats itself is stopped by max_tokens, and by timeout",
        "
        REPEATED_STREAMING_CHUNK_LIMIT",
    ),
    (
        "addresses of images are passed on to providers; nothing is fetched from them",
        "
        MAX_IMAGE_URL_DOWNLOAD_SIZE_MB",
    ),
    (
        "days, weeks, months and years are those of the calendar",
        "
        DAYS_IN_A_MONTH DAYS_IN_A_WEEK DAYS_IN_A_YEAR HOURS_IN_A_DAY",
    ),
    (
        "nothing is exported to CloudZero; /global/spend/report?format=focus has the numbers",
        "
        CLOUDZERO_EXPORT_INTERVAL_MINUTES CLOUDZERO_MAX_FETCHED_DATA_RECORDS",
    ),
    (
        "prompts are not kept here: keep them in the application",
        "
        HUMANLOOP_PROMPT_CACHE_TTL_SECONDS",
    ),
    (
        "attempts are found by how their sentences are made, and not by likeness; a guardrail may ask a service for more",
        "
        DEFAULT_PROMPT_INJECTION_SIMILARITY_THRESHOLD",
    ),
    (
        "what a provider says of a failure is passed on uncut, up to 256 KB",
        "
        MAX_EXCEPTION_MESSAGE_LENGTH",
    ),
    (
        "temperatures go to providers as they were asked for",
        "
        MIN_NON_ZERO_TEMPERATURE",
    ),
    (
        "services beside the models have times of their own: weir_settings.redis_timeout, budget_wait, timeout of a guardrail",
        "
        NON_LLM_CONNECTION_TIMEOUT",
    ),
    (
        "models of another gateway are litellm_proxy/<model>, with LITELLM_PROXY_API_BASE and LITELLM_PROXY_API_KEY",
        "
        LITELLM_API_BASE LITELLM_API_KEY",
    ),
    (
        "providers at http:// are asked without a proxy; HTTPS_PROXY is for the others",
        "
        HTTP_PROXY",
    ),
    (
        "no licence is asked for; everything is free",
        "
        LITELLM_LICENSE",
    ),
    (
        "every sign-in has a challenge and a random state of its own, which is all that providers want who ask for them",
        "
        GENERIC_CLIENT_STATE GENERIC_CLIENT_USE_PKCE",
    ),
];
