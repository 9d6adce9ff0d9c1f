// What the server answers, as far as the UI reads it. What admin/openapi.json describes is taken from there.
import type { components, paths } from './schema';

type Described = components['schemas'];

/** The names of its team and user are in lists of keys only. */
export type Key = Described['Key'] & Partial<Pick<Described['KeyView'], 'team_alias' | 'user_email'>>;
export type Team = Described['Team'];
export type TeamMembership = Described['TeamMembership'];
export type User = Described['User'];
export type UserListed = Described['UserListed'];
export type Entry = Described['Entry'];
export type Attempt = Described['Attempt'];
/** `price` is for `per` of it. */
export type Charge = Described['Charge'];
/** A budget as this request found and left it, or as it refused it. */
export type BudgetSeen = Described['BudgetSeen'];
export type UsageObject = Described['UsageObject'];
export type Activity = Described['Activity'];
export type Day = Described['ActivityDay'];
export type Metrics = Described['Metrics'];
export type Times = Described['Times'];
export type Part = Described['ActivityPart'];
export type PartName = keyof Day['breakdown'];
export type Change = Described['Change'];
export type CacheHits = Described['CacheHits'];
export type ReportDay = Described['ReportDay'];
export type ReportRow = Described['ReportRow'];

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

export interface NewKey extends Key {
  key: string;
}

export interface Member {
  user_id: string;
  user_email: string | null;
  role: string;
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
  /** Told of one by itself, not in lists. */
  budget_id?: string | null;
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

/** Where a value comes from. */
export interface Source {
  from: 'default' | 'file' | 'environment' | 'ledger';
  file?: string;
  line?: number;
  variable?: string;
}

export interface PriceSource {
  /** `pattern`: what is asked for through it has the price of its own name. */
  from: 'catalogue' | 'config' | 'pattern' | 'unpriced';
  /** The catalogue's name of what it prices. */
  key: string | null;
  /** Prices that are set, with the section that they stand in. */
  set: Record<string, 'litellm_params' | 'model_info'>;
}

export interface Deployment {
  model_name: string;
  litellm_params: Json & { model: string; api_base?: string };
  model_info: ModelInfo;
  /** `source` and `changed` (what the ledger changes in an entry of the file) are for whoever sees everything. */
  weir: { price: PriceSource; source?: Source; changed?: Record<string, Source> };
}

/** Whether a deployment gets requests. */
export interface Standing {
  model_id: string;
  model_name: string;
  state: 'healthy' | 'cooled';
  since: string | null;
  until: string | null;
  error: { status: number; class: string; message: string } | null;
  check: Check | null;
}

/** What a deployment answered when it was last asked in the background. */
export interface Check {
  at: string;
  response_time_ms: number;
  status: number;
  error: string | null;
}

/** What came of a test of a deployment that is not kept yet. */
export interface Tried {
  status: 'success' | 'error';
  result: { error?: string; status?: number; response_time_ms?: number };
}

export interface Probe {
  model: string;
  model_id: string;
  model_name: string;
  response_time_ms: number;
  /** Nothing where all is well, and where details are off (`health_check_details`). */
  error?: string;
  status?: number;
}

/** Where a setting is set. A variable that a file names (`os.environ/…`) has the file's line beside it. */
export interface SettingSource {
  from: 'default' | 'file' | 'environment' | 'ledger';
  file?: string;
  line?: number;
  variable?: string;
}

export interface SettingField {
  field_name: string;
  field_type: string;
  field_description: string;
  /** In force; `***` in place of what is secret. */
  field_value: unknown;
  stored_in_db: boolean | null;
  field_default_value: unknown;
  source: SettingSource;
  /** What is written elsewhere, differs, and does not count. */
  drift: { field_value: unknown; source: SettingSource } | null;
  secret: boolean;
  /** Whether anything depends on it in this version. */
  used: boolean;
  editable: boolean;
}

export interface Callbacks {
  callbacks: { name: string; type: string; variables: Json }[];
  alerts: AlertChannel[];
  router_settings: Json;
}

export interface AlertChannel {
  name: string;
  variables: Record<string, string | null>;
  active_alerts: string[];
  /** Addresses of their own, by the kind of alert. */
  alerts_to_webhook?: Record<string, string[]>;
}

/** How a callback is doing in the replica that answers, since its start. */
export interface CallbackState {
  name: string;
  told_of: string[];
  status: 'healthy' | 'failing' | 'unused' | 'unusable';
  delivered: number;
  dropped: number;
  queue_bytes: number;
  failing_since: string | null;
  last_error: string | null;
  last_error_at: string | null;
}

/** What is known of signing in before anybody has. */
export interface Options {
  sso: boolean;
  /** Browsers go to the identity provider without being asked. */
  auto?: boolean;
  provider?: SignOnProvider | null;
}

/** Who signs people in; told to whoever sees everything. */
export interface SignOnProvider {
  kind: 'google' | 'microsoft' | 'generic';
  issuer: string | null;
  authorization_endpoint: string | null;
  client_id: string;
  scope: string;
  /** Names of claims that say who somebody is; the first that a token has counts. */
  claims: {
    user_id: string[];
    email: string[];
    role: string;
    groups: string;
    /** Groups of each role. */
    roles_by_group: Record<string, string[]>;
  };
  allowed_email_domains: string | null;
  proxy_admin_id: string | null;
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

/** What a provider, a deployment or all keys together may cost in a period, and what it has. */
export interface PeriodBudget {
  budget_limit: number;
  time_period: string | null;
  spend: number;
  budget_reset_at: string | null;
}

/** When the price map was fetched, and when it is fetched next. */
export interface PriceMap {
  scheduled: boolean;
  interval_hours: number | null;
  last_run: string | null;
  next_run: string | null;
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

export interface Readiness {
  status: string;
  db: string;
  cache: string | null;
  litellm_version: string;
  weir_version: string;
  success_callbacks: string[];
}

/** How the process that answers is doing. */
export type Replica = paths['/health/replica']['get']['responses'][200]['content']['application/json'];

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

/** A page as `/key/list` tells it. */
export interface Counted {
  total_count: number;
  current_page: number;
  total_pages: number;
}
