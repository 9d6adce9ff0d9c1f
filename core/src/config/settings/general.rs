//! `general_settings`.

use super::super::env::Env;
use super::super::json::JsonMap;
use super::super::problems::{Place, Problems, did_you_mean};
use super::super::secrets;
use super::super::section::Section;
use super::super::tree::Node;
use super::jwt::{self, JwtSettings, RolePermissions};
use super::pass_through::{self, PassThrough};
use super::weir::networks;
use super::{
    AlertSettings, HealthSettings, KeepingSettings, RequestSettings, RouteSettings, env_node, env_u64,
};
use ipnet::IpNet;
use secrecy::SecretString;
use std::time::Duration;

/// LiteLLM counts by the minute.
const RATE_LIMIT_WINDOW: Duration = Duration::from_secs(60);
/// Bodies with images in them are a few megabytes; providers refuse above 20 to 50.
const REQUEST_LIMIT: u64 = 32 << 20;
/// LiteLLM's.
const USUAL_FAILURES: u64 = 1;
const KEY_CACHE_TTL: Duration = Duration::from_secs(60);
const POOL_LIMIT: u32 = 10;
/// How long a statement may wait for a connection. LiteLLM's minute would be too long for a request that waits.
const POOL_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct GeneralSettings {
    /// From the file, else `LITELLM_MASTER_KEY`, else `PROXY_MASTER_KEY`. Never empty.
    pub master_key: Option<SecretString>,
    /// From the file, else `DATABASE_URL`, else made of `DATABASE_HOST` and its like. `None`: the embedded ledger.
    pub database_url: Option<SecretString>,
    pub database_connection_pool_limit: u32,
    /// How long a statement may wait for a connection (`database_connection_pool_timeout`, else
    /// `database_connection_timeout`).
    pub database_wait: Duration,
    /// Schemas are not changed at start: `weir migrate` does it (`disable_prisma_schema_update`, else
    /// `DISABLE_SCHEMA_UPDATE`).
    pub disable_schema_update: bool,
    /// The master key's requests are booked under the hash of a name that everybody knows, and not under its own.
    pub hides_master_key_hash: bool,
    /// Bytes of a request's body.
    pub request_limit: u64,
    /// One more header that may carry a key.
    pub litellm_key_header_name: Option<String>,
    /// Header that names the end user.
    pub user_header_name: Option<String>,
    pub forward_client_headers_to_llm_api: bool,
    /// How long a key is served from memory.
    pub user_api_key_cache_ttl: Duration,
    /// Requests of the whole process at once.
    pub global_max_parallel_requests: Option<u32>,
    /// The same, beyond which clients are told 429 instead of 503.
    pub max_parallel_requests: Option<u32>,
    /// Which routes the operator opens and closes.
    pub routes: RouteSettings,
    /// `openai-organization` of a request goes to OpenAI.
    pub forward_openai_org_id: bool,
    /// What stands behind a proxy is to be believed; `weir_settings.trusted_proxies` says of which.
    pub use_x_forwarded_for: bool,
    /// Where `weir_settings.on_ledger_loss` says nothing: `serve`.
    pub allow_requests_on_db_unavailable: bool,
    /// Whether models and settings may be changed over the API and kept in the ledger.
    pub store_model_in_db: bool,
    /// Who may connect, by address; everybody where nothing is said.
    pub allowed_ips: Vec<IpNet>,
    /// Search engines are told to stay away (`/robots.txt`).
    pub block_robots: bool,
    pub keeping: KeepingSettings,
    pub requests: RequestSettings,
    /// An answer that takes longer is slow.
    pub alerting_threshold: Option<Duration>,
    pub alerts: AlertSettings,
    pub health: HealthSettings,
    /// What was asked and answered is kept beside the entry.
    pub store_prompts_in_spend_logs: bool,
    /// Paths that lead to addresses of the operator's.
    pub pass_through: Vec<PassThrough>,
    pub token_rate_limit_type: TokenRate,
    /// Tokens that an identity provider has signed are taken in place of keys; `jwt` says what is read of them.
    pub enable_jwt_auth: bool,
    /// `litellm_jwtauth`
    pub jwt: JwtSettings,
    /// What tokens of a role may do, where roles are enforced.
    pub role_permissions: Vec<RolePermissions>,
    /// Tokens that an identity provider is asked about are taken in place of keys.
    pub enable_oauth2_auth: bool,
    /// Headers of a proxy in front say who uses the UI (`weir_settings.identity_proxies` says of which proxy).
    pub enable_oauth2_proxy_auth: bool,
    /// Which header says what (`oauth2_config_mappings`).
    pub oauth2_headers: JsonMap,
    /// Only proxy admins and their viewers may sign in to the UI.
    pub ui_admins_only: bool,
    /// How long what is counted against rate limits counts.
    pub rate_limit_window: Duration,
    /// Failures of a model in a minute that are nothing to worry about: beyond them limits that are dynamic count
    /// (`DYNAMIC_RATE_LIMIT_ERROR_THRESHOLD_PER_MINUTE`).
    pub usual_failures: u64,
    /// More headers that name the end user (`user_header_mappings`).
    pub customer_headers: Vec<String>,
    /// Only proxy admins make keys that belong to no team (`default_team_disabled`).
    pub team_keys_only: bool,
    /// Providers whose keys are in the environment serve all of their models (`infer_model_from_keys`).
    pub infer_models: bool,
    /// The callback `otel`, which LiteLLM also switches on here.
    pub otel: bool,
    /// What the ledger keeps beside the files and is used (`supported_db_objects`); `None`: all.
    pub kept_objects: Option<Vec<String>>,
    /// Who was asked for secrets before this was read, and how (see `SecretsWanted`).
    pub key_management_system: Option<String>,
    pub key_management_settings: JsonMap,
}

/// Which tokens count against limits of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenRate {
    #[default]
    Total,
    Input,
    Output,
}

impl GeneralSettings {
    pub(in super::super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let roles_wanted = bool("enforce_rbac") || bool("enable_rbac");
        let jwt = JwtSettings::read(s, roles_wanted, problems);
        let public = if bool("enable_jwt_auth") { jwt.public_routes.as_slice() } else { &[] };
        let from_env = |name: &str| env_node(env, name).as_ref().and_then(Node::as_bool);
        let store = || from_env("STORE_MODEL_IN_DB");
        let prompts = || from_env("STORE_PROMPTS_IN_SPEND_LOGS");
        Self {
            master_key: s.secret("master_key").or_else(|| secret(env, "LITELLM_MASTER_KEY")),
            database_url: s.secret("database_url").or_else(|| secret(env, "DATABASE_URL")),
            database_connection_pool_limit: s.count("database_connection_pool_limit").unwrap_or(POOL_LIMIT),
            database_wait: pool_wait(s),
            disable_schema_update: s
                .bool("disable_prisma_schema_update")
                .unwrap_or_else(|| is_set(env, "DISABLE_SCHEMA_UPDATE")),
            hides_master_key_hash: bool("disable_adding_master_key_hash_to_db"),
            request_limit: s
                .int("max_request_size_mb")
                .map_or(REQUEST_LIMIT, |mb| mb.saturating_mul(1 << 20)),
            litellm_key_header_name: s.text("litellm_key_header_name").filter(|name| !name.is_empty()),
            user_header_name: s.text("user_header_name").filter(|name| !name.is_empty()),
            forward_client_headers_to_llm_api: bool("forward_client_headers_to_llm_api"),
            user_api_key_cache_ttl: s.seconds("user_api_key_cache_ttl").unwrap_or(KEY_CACHE_TTL),
            global_max_parallel_requests: s.count("global_max_parallel_requests"),
            max_parallel_requests: s.count("max_parallel_requests").filter(|most| *most > 0),
            routes: RouteSettings::read(s, public, problems),
            forward_openai_org_id: bool("forward_openai_org_id"),
            use_x_forwarded_for: bool("use_x_forwarded_for"),
            allow_requests_on_db_unavailable: bool("allow_requests_on_db_unavailable"),
            // LiteLLM refuses unless it is true; Weir allows unless it is false.
            store_model_in_db: s.bool("store_model_in_db").or_else(store).unwrap_or(true),
            allowed_ips: networks(s, "allowed_ips", problems),
            keeping: KeepingSettings::read(s, problems),
            requests: RequestSettings::read(s),
            alerting_threshold: s.seconds("alerting_threshold"),
            alerts: AlertSettings::read(s, env, problems),
            health: HealthSettings::read(s, env),
            store_prompts_in_spend_logs: !logs_disabled(s, problems)
                && s.bool("store_prompts_in_spend_logs").or_else(prompts).unwrap_or(false),
            pass_through: pass_through::read(s, env, problems),
            token_rate_limit_type: token_rate(s),
            rate_limit_window: window(env, problems),
            usual_failures: env_u64(env, "DYNAMIC_RATE_LIMIT_ERROR_THRESHOLD_PER_MINUTE")
                .unwrap_or(USUAL_FAILURES),
            block_robots: bool("block_robots"),
            enable_jwt_auth: bool("enable_jwt_auth"),
            role_permissions: jwt::permissions(s, jwt.enforce_roles, problems),
            jwt,
            enable_oauth2_auth: bool("enable_oauth2_auth"),
            enable_oauth2_proxy_auth: bool("enable_oauth2_proxy_auth"),
            oauth2_headers: json_map(s, "oauth2_config_mappings"),
            ui_admins_only: s.text("ui_access_mode").as_deref() == Some("admin_only"),
            customer_headers: customer_headers(s, problems),
            team_keys_only: bool("default_team_disabled"),
            infer_models: bool("infer_model_from_keys"),
            otel: bool("otel"),
            kept_objects: kept_objects(s, problems),
            key_management_system: secrets::system(s, problems),
            key_management_settings: json_map(s, "key_management_settings"),
        }
    }
}

impl GeneralSettings {
    /// Whether what the ledger has of this kind (`models`, `model_cost_map` …) is used.
    pub fn uses_kept(&self, kind: &str) -> bool {
        self.kept_objects.as_ref().is_none_or(|kinds| kinds.iter().any(|known| known == kind))
    }
}

fn json_map(s: &Section, name: &str) -> JsonMap {
    s.node(name).map(|map| map.entries().iter().collect()).unwrap_or_default()
}

/// LiteLLM's list of `{header_name, litellm_user_role}`. Headers that would name a user are not believed.
fn customer_headers(s: &Section, problems: &mut Problems) -> Vec<String> {
    const NAME: &str = "user_header_mappings";
    let mut headers = Vec::new();
    for mapping in s.node(NAME).map(Node::items).unwrap_or_default() {
        let text = |name: &str| mapping.get(name).and_then(Node::as_text).unwrap_or_default();
        match text("litellm_user_role") {
            "customer" => {
                headers.extend(Some(text("header_name")).filter(|name| !name.is_empty()).map(str::to_owned))
            }
            role => {
                let cure =
                    "keys say whose they are; tokens of an identity provider do, too (enable_jwt_auth)";
                problems.warn(&s.place(NAME), format!("a header names no {role}"), cure);
            }
        }
    }
    headers
}

/// Zero stands for the default in LiteLLM's documentation.
fn pool_wait(s: &Section) -> Duration {
    let said = |name: &str| s.seconds(name).filter(|wait| !wait.is_zero());
    let wait = said("database_connection_pool_timeout").or_else(|| said("database_connection_timeout"));
    wait.unwrap_or(POOL_WAIT)
}

/// As Weir has always read it: any other text is no.
fn is_set(env: &Env, name: &str) -> bool {
    env.filled(name).is_some_and(|value| ["true", "1", "yes"].contains(&value.to_lowercase().as_str()))
}

/// LiteLLM's names of what its database keeps.
static OBJECTS: [&str; 7] =
    ["models", "mcp", "guardrails", "vector_stores", "pass_through_endpoints", "prompts", "model_cost_map"];

fn kept_objects(s: &Section, problems: &mut Problems) -> Option<Vec<String>> {
    const NAME: &str = "supported_db_objects";
    let kept = s.texts(NAME)?;
    for unknown in kept.iter().filter(|name| !OBJECTS.contains(&name.as_str())) {
        let near = did_you_mean(unknown, OBJECTS);
        problems.warn(&s.place(NAME), format!("the ledger keeps no {unknown:?}"), near);
    }
    Some(kept)
}

/// Entries are what is billed by, so they are written in any case; what was said is not kept.
fn logs_disabled(s: &Section, problems: &mut Problems) -> bool {
    const NAME: &str = "disable_spend_logs";
    let disabled = s.bool(NAME) == Some(true);
    if disabled {
        let message = "entries stay, since they are what is billed by; what was said is not kept";
        let cure = "maximum_spend_logs_retention_period: 1d forgets entries that are older; sums by day stay";
        problems.warn(&s.place(NAME), message, cure);
    }
    disabled
}

/// Any other text was refused by the table's choices.
fn token_rate(s: &Section) -> TokenRate {
    match s.text("token_rate_limit_type").as_deref() {
        Some("input") => TokenRate::Input,
        Some("output") => TokenRate::Output,
        _ => TokenRate::Total,
    }
}

fn window(env: &Env, problems: &mut Problems) -> Duration {
    const NAME: &str = "LITELLM_RATE_LIMIT_WINDOW_SIZE";
    let Some(text) = env.filled(NAME) else { return RATE_LIMIT_WINDOW };
    match text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds)) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let place = Place { path: NAME.into(), ..Place::default() };
            problems.error(
                &place,
                format!("{text:?} is not a number of seconds"),
                "write whole seconds, such as 60",
            );
            RATE_LIMIT_WINDOW
        }
    }
}

/// The environment has the derived variables in it, see `resolve`.
fn secret(env: &Env, name: &str) -> Option<SecretString> {
    env.filled(name).map(SecretString::from)
}
