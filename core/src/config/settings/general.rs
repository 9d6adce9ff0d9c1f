//! `general_settings`.

use super::super::env::Env;
use super::super::json::JsonMap;
use super::super::problems::{Place, Problems};
use super::super::secrets;
use super::super::section::Section;
use super::super::tree::Node;
use super::jwt::{self, JwtSettings, RolePermissions};
use super::pass_through::{self, PassThrough};
use super::weir::networks;
use super::{AlertSettings, HealthSettings, RouteSettings, env_node};
use crate::domain::period::Period;
use ipnet::IpNet;
use secrecy::SecretString;
use std::time::Duration;

/// LiteLLM counts by the minute.
const RATE_LIMIT_WINDOW: Duration = Duration::from_secs(60);
/// Bodies with images in them are a few megabytes; providers refuse above 20 to 50.
const REQUEST_LIMIT: u64 = 32 << 20;
const KEY_CACHE_TTL: Duration = Duration::from_secs(60);
const POOL_LIMIT: u32 = 10;

#[derive(Clone, Debug)]
pub struct GeneralSettings {
    /// From the file, else `LITELLM_MASTER_KEY`, else `PROXY_MASTER_KEY`. Never empty.
    pub master_key: Option<SecretString>,
    /// From the file, else `DATABASE_URL`, else made of `DATABASE_HOST` and its like. `None`: the embedded ledger.
    pub database_url: Option<SecretString>,
    pub database_connection_pool_limit: u32,
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
    /// How long entries are kept; for ever where nothing is said. Sums by day stay.
    pub retention: Option<Duration>,
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
    /// More headers that name the end user (`user_header_mappings`).
    pub customer_headers: Vec<String>,
    /// A key's request has to name its end user (`enforce_user_param`).
    pub enforce_user: bool,
    /// Requests may say no tags (`reject_clientside_metadata_tags`): those of their keys count.
    pub reject_client_tags: bool,
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
        let store = || env_node(env, "STORE_MODEL_IN_DB").as_ref().and_then(Node::as_bool);
        Self {
            master_key: s.secret("master_key").or_else(|| secret(env, "LITELLM_MASTER_KEY")),
            database_url: s.secret("database_url").or_else(|| secret(env, "DATABASE_URL")),
            database_connection_pool_limit: s.count("database_connection_pool_limit").unwrap_or(POOL_LIMIT),
            request_limit: s
                .int("max_request_size_mb")
                .map_or(REQUEST_LIMIT, |mb| mb.saturating_mul(1 << 20)),
            litellm_key_header_name: s.text("litellm_key_header_name").filter(|name| !name.is_empty()),
            user_header_name: s.text("user_header_name").filter(|name| !name.is_empty()),
            forward_client_headers_to_llm_api: bool("forward_client_headers_to_llm_api"),
            user_api_key_cache_ttl: s.seconds("user_api_key_cache_ttl").unwrap_or(KEY_CACHE_TTL),
            global_max_parallel_requests: s.count("global_max_parallel_requests"),
            max_parallel_requests: s.count("max_parallel_requests").filter(|most| *most > 0),
            routes: RouteSettings::read(s, problems),
            forward_openai_org_id: bool("forward_openai_org_id"),
            use_x_forwarded_for: bool("use_x_forwarded_for"),
            allow_requests_on_db_unavailable: bool("allow_requests_on_db_unavailable"),
            // LiteLLM refuses unless it is true; Weir allows unless it is false.
            store_model_in_db: s.bool("store_model_in_db").or_else(store).unwrap_or(true),
            allowed_ips: networks(s, "allowed_ips", problems),
            retention: retention(s, problems),
            alerting_threshold: s.seconds("alerting_threshold"),
            alerts: AlertSettings::read(s, env, problems),
            health: HealthSettings::read(s),
            store_prompts_in_spend_logs: !logs_disabled(s, problems) && bool("store_prompts_in_spend_logs"),
            pass_through: pass_through::read(s, env, problems),
            token_rate_limit_type: token_rate(s),
            rate_limit_window: window(env, problems),
            block_robots: bool("block_robots"),
            enable_jwt_auth: bool("enable_jwt_auth"),
            role_permissions: jwt::permissions(s, jwt.enforce_roles, problems),
            jwt,
            enable_oauth2_auth: bool("enable_oauth2_auth"),
            enable_oauth2_proxy_auth: bool("enable_oauth2_proxy_auth"),
            oauth2_headers: json_map(s, "oauth2_config_mappings"),
            ui_admins_only: s.text("ui_access_mode").as_deref() == Some("admin_only"),
            customer_headers: customer_headers(s, problems),
            enforce_user: bool("enforce_user_param"),
            reject_client_tags: bool("reject_clientside_metadata_tags"),
            key_management_system: secrets::system(s, problems),
            key_management_settings: json_map(s, "key_management_settings"),
        }
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

/// LiteLLM's durations: `30d`, `12h`.
fn retention(s: &Section, problems: &mut Problems) -> Option<Duration> {
    const NAME: &str = "maximum_spend_logs_retention_period";
    let text = s.text(NAME)?;
    let period = Period::parse(&text).and_then(Period::length);
    if period.is_none() {
        problems.error(&s.place(NAME), format!("{text:?} is no duration"), "write it like 30d or 12h");
    }
    period
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
                format!("{text:?} is no number of seconds"),
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
