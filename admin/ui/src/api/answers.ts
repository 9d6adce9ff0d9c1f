// What the server answers, as far as the UI reads it.

export type Json = Record<string, unknown>;

export interface Limits {
  max_budget: number | null;
  soft_budget?: number | null;
  budget_duration: string | null;
  budget_reset_at?: string | null;
  tpm_limit: number | null;
  rpm_limit: number | null;
  max_parallel_requests?: number | null;
}

export interface Key extends Limits {
  token: string;
  key_name: string;
  key_alias: string | null;
  spend: number;
  expires: string | null;
  models: string[];
  aliases: Json;
  user_id: string | null;
  team_id: string | null;
  org_id?: string | null;
  organization_id?: string | null;
  metadata: Json;
  blocked: boolean | null;
  allowed_routes: string[];
  created_at: string;
  created_by: string | null;
  updated_at: string;
  updated_by: string | null;
  rotation_count: number;
  auto_rotate: boolean;
  rotation_interval: string | null;
  last_rotation_at: string | null;
  key_rotation_at: string | null;
}

export interface NewKey extends Key {
  key: string;
}

export interface Member {
  user_id: string;
  user_email: string | null;
  role: string;
}

export interface Team extends Limits {
  team_id: string;
  team_alias: string | null;
  organization_id: string | null;
  members_with_roles: Member[];
  models: string[];
  metadata: Json;
  blocked: boolean;
  spend: number;
  created_at: string;
  updated_at: string;
}

export interface TeamMembership {
  user_id: string;
  team_id: string;
  spend?: number;
  litellm_budget_table?: Partial<Limits> | null;
}

export interface User extends Limits {
  user_id: string;
  user_email: string | null;
  user_alias: string | null;
  user_role: string;
  spend: number;
  models: string[];
  teams: string[];
  metadata: Json;
  created_at: string;
  updated_at: string;
  key_count?: number;
}

export interface OrganizationMember {
  user_id: string;
  user_role: string;
  user?: { user_email: string | null } | null;
  spend?: number;
}

export interface Organization {
  organization_id: string;
  organization_alias: string;
  spend: number;
  models: string[];
  metadata: Json;
  litellm_budget_table: Limits | null;
  members: OrganizationMember[] | null;
  teams: Team[] | null;
  created_at: string;
  updated_at: string;
}

export interface Customer {
  user_id: string;
  alias: string | null;
  blocked: boolean;
  spend: number;
  allowed_model_region: string | null;
  default_model: string | null;
  litellm_budget_table: Limits | null;
}

export interface ModelInfo extends Json {
  id: string;
  db_model: boolean;
  base_model?: string | null;
  mode?: string | null;
  litellm_provider?: string;
  max_input_tokens?: number | null;
  max_output_tokens?: number | null;
  input_cost_per_token?: number | null;
  output_cost_per_token?: number | null;
  access_groups?: string[];
}

export interface Deployment {
  model_name: string;
  litellm_params: Json & { model: string; api_base?: string };
  model_info: ModelInfo;
}

export interface Probe {
  model: string;
  model_id: string;
  model_name: string;
  response_time_ms: number;
  error?: string;
  status?: number;
}

export interface Metrics {
  spend: number;
  prompt_tokens: number;
  completion_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  total_tokens: number;
  successful_requests: number;
  failed_requests: number;
  api_requests: number;
}

export interface Part {
  metrics: Metrics;
  metadata: {
    key_alias?: string | null;
    team_alias?: string | null;
    team_id?: string | null;
    alias?: string;
  };
  api_key_breakdown?: Record<string, Part>;
}

export type PartName = 'model_groups' | 'providers' | 'models' | 'endpoints' | 'api_keys' | 'entities';

export interface Day {
  date: string;
  metrics: Metrics;
  breakdown: Partial<Record<PartName, Record<string, Part>>>;
}

export interface Activity {
  results: Day[];
  metadata: Json;
}

export interface Attempt {
  number: number;
  model_group: string;
  model_id: string;
  status: number;
  error: string;
  started_at: string;
  ended_at: string;
}

/** `price` is for `per` of it. */
export interface Charge {
  label: string;
  quantity: number;
  price: number;
  per: number;
  cost: number;
}

/** A budget as this request found and left it. */
export interface BudgetSeen {
  scope: string;
  id: string;
  cap: number;
  before: number;
  after: number;
  reset_at: string | null;
  /** It had no room for the request. */
  refused: boolean;
}

export interface Entry {
  request_id: string;
  call_type: string;
  api_key: string;
  spend: number;
  total_tokens: number;
  prompt_tokens: number;
  completion_tokens: number;
  startTime: string;
  endTime: string;
  completionStartTime: string;
  model: string;
  model_id: string;
  model_group: string;
  custom_llm_provider: string;
  api_base: string;
  user: string;
  team_id: string;
  end_user: string;
  organization_id: string;
  request_tags: string[];
  requester_ip_address: string;
  session_id: string;
  status: 'success' | 'failure';
  messages: unknown;
  response: unknown;
  proxy_server_request: unknown;
  metadata: {
    user_api_key_alias: string | null;
    user_api_key_team_alias: string | null;
    usage_object: UsageObject | null;
    requester_metadata?: Json;
    error_information?: {
      error_code: string;
      error_class: string;
      error_message: string;
      llm_provider: string;
    };
    weir?: {
      entry_id: string;
      call_id: string;
      status: string;
      http_status: number;
      stream: boolean;
      model_requested: string;
      usage_source: 'none' | 'reported' | 'estimated';
      unpriced: boolean;
      price_version: string;
      user_agent: string;
      attempts: Attempt[];
      /** Ids of deployments that might have served. */
      considered: string[];
      charges: Charge[];
      budgets: BudgetSeen[];
    };
  };
}

export interface UsageObject {
  prompt_tokens: number;
  completion_tokens: number;
  cache_creation_input_tokens?: number;
  cache_read_input_tokens?: number;
  prompt_tokens_details: { cached_tokens?: number; audio_tokens?: number } | null;
  completion_tokens_details: { reasoning_tokens?: number; audio_tokens?: number } | null;
}

export interface Change {
  id: string;
  updated_at: string;
  changed_by: string | null;
  changed_by_api_key: string | null;
  action: string;
  table_name: string;
  object_id: string;
  before_value: Json | null;
  updated_values: Json | null;
}

export interface SettingField {
  field_name: string;
  field_type: string;
  field_description: string;
  field_value: unknown;
  stored_in_db: boolean | null;
  field_default_value: unknown;
}

export interface Callbacks {
  callbacks: { name: string; type: string; variables: Json }[];
  alerts: Json[];
  router_settings: Json;
}

export interface Credential {
  credential_name: string;
  credential_info: Json;
  credential_values: Json;
}

export interface Budget extends Limits {
  budget_id: string;
  model_max_budget: Json | null;
  created_at: string;
  updated_at: string;
}

export interface Guardrail {
  guardrail_id: string;
  guardrail_name: string;
  litellm_params: Json & { guardrail?: string; mode?: string | string[]; default_on?: boolean };
  guardrail_info: Json;
}

export interface CachePing {
  status: string;
  cache_type: string;
  litellm_cache_params: string;
}

export interface CacheHits {
  api_key: string;
  model: string;
  cache_hit_true_rows: number;
  cached_completion_tokens: number;
  generated_completion_tokens: number;
  total_rows: number;
}

export interface Readiness {
  status: string;
  db: string;
  cache: string | null;
  litellm_version: string;
  weir_version: string;
  success_callbacks: string[];
}

export interface Session {
  user_id: string;
  role: Role;
  csrf: string;
  expires_at: string;
}

export type Role =
  | 'proxy_admin'
  | 'proxy_admin_viewer'
  | 'org_admin'
  | 'internal_user'
  | 'internal_user_viewer';

export interface Paged {
  total: number;
  page: number;
  page_size: number;
  total_pages: number;
}

export type ReportRow = {
  total_spend: number;
  metadata: { model: string; spend: number; total_tokens: number; api_key: string }[];
} & Record<string, unknown>;

export type ReportDay = { group_by_day: string } & Record<string, ReportRow[] | string>;
