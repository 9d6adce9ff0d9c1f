//! What `litellm_params` and `model_info` mean.

use super::aws::Aws;
use super::cloud::{Entra, Vertex};
use super::json::JsonMap;
use super::keys::Open;
use super::prices;
use super::problems::Problems;
use super::section::Section;
use super::settings::{SslVerify, budget};
use super::tree::{Node, Value};
use crate::domain::period::WindowBudget;
use http::{HeaderName, HeaderValue, Uri};
use secrecy::SecretString;
use std::time::Duration;

/// How one deployment is reached and limited. `None` means that nothing was written here: the provider's or the
/// router's default counts.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// An http or https address.
    pub api_base: Option<String>,
    pub api_key: Option<SecretString>,
    pub api_version: Option<String>,
    pub organization: Option<String>,
    /// Of OpenAI's; `litellm_settings` or the environment say it of all deployments.
    pub project: Option<String>,
    pub timeout: Option<Duration>,
    pub stream_timeout: Option<Duration>,
    /// Silence after which another deployment of the group is asked too.
    pub hedge_after: Option<Duration>,
    /// Group that gets a copy of each request, and whose answers nobody sees.
    pub silent_model: Option<String>,
    /// Share of the traffic of its group, relative to the others'.
    pub weight: Option<f64>,
    /// Requests and tokens per minute.
    pub rpm: Option<u64>,
    pub tpm: Option<u64>,
    /// Lower ones are preferred.
    pub order: Option<u64>,
    /// What the deployment may cost.
    pub budget: Option<WindowBudget>,
    /// How often a request is tried again after this deployment failed (`num_retries`, else `max_retries`).
    pub num_retries: Option<u32>,
    /// How long the deployment is left alone after failing; the router's where there is none.
    pub cooldown_time: Option<Duration>,
    /// Where the deployment computes, for callers that are bound to a region (`eu`).
    pub region_name: Option<String>,
    /// Calls at once; the router's `default_max_parallel_requests` where the deployment has none.
    pub max_parallel_requests: Option<u32>,
    /// Answer to give instead of calling anybody: text, or JSON text of anything else.
    pub mock_response: Option<String>,
    pub mock_delay: Duration,
    /// Nobody is called, and the time for an answer passes.
    pub mock_timeout: bool,
    /// Its credentials are also those of the provider's own API, passed through.
    pub use_in_pass_through: bool,
    /// Bytes that a file may have which is sent to it.
    pub max_file_size: Option<u64>,
    /// `None`: as `litellm_settings` has it.
    pub drop_params: Option<bool>,
    pub additional_drop_params: Vec<String>,
    /// OpenAI parameters that go to the provider whatever it is said to support.
    pub allowed_openai_params: Vec<String>,
    /// Valid header names, in lower case, and values: those of `headers`, then those of `extra_headers`, which count.
    pub extra_headers: Vec<(String, SecretString)>,
    /// Members to add to a request's body.
    pub extra_body: JsonMap,
    /// Parameters to set where the request does not: OpenAI's, and a provider's own (`num_ctx`, `guardrailConfig` …).
    pub defaults: JsonMap,
    /// Price name and US dollars per unit as decimal text.
    pub prices: Vec<(String, String)>,
    /// Which requests the deployment is for, by their tags.
    pub tags: Vec<String>,
    pub configurable_clientside_auth_params: Vec<ClientParam>,
    pub azure_ad_token: Option<SecretString>,
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub entra: Entra,
    pub vertex: Vertex,
    pub aws: Aws,
    /// `None`: as `litellm_settings` has it.
    pub ssl_verify: Option<SslVerify>,
    /// JSON text of LiteLLM's `cache_control_injection_points`: which messages get a mark for the provider's cache.
    pub cache_points: Option<String>,
    /// Thoughts are told inside the text, between `<think>` and `</think>`.
    pub merge_reasoning: bool,
    /// Name of the shared credential that was filled in.
    pub credential: Option<String>,
    /// Everything else: settings that are not used yet, and names that nobody knows.
    pub rest: JsonMap,
}

/// A parameter that a client may set in its own request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientParam {
    pub name: String,
    /// Regular expression that the whole value must match; any value where there is none.
    pub pattern: Option<String>,
}

/// Facts about a deployment.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// Model to look up in the price catalogue instead of the upstream's name.
    pub base_model: Option<String>,
    /// What the model does (`chat`, `embedding` …); `None`: as the catalogue has it.
    pub mode: Option<String>,
    /// Names under which keys and teams may be given this model.
    pub access_groups: Vec<String>,
    /// Price name and US dollars per unit as decimal text.
    pub prices: Vec<(String, String)>,
    pub max_tokens: Option<u64>,
    pub max_input_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub check: Check,
    /// Only this team sees the model.
    pub team: Option<String>,
    /// What that team calls it.
    pub team_public_name: Option<String>,
    /// An admin of that team made it: no variable, shared credential or address inside is used for it.
    pub by_team: bool,
    /// Everything else, to be shown.
    pub rest: JsonMap,
}

/// How a deployment is asked whether it is well.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// `provider/model` to ask for; a pattern has no model of its own.
    pub model: Option<String>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Only when somebody asks.
    pub on_demand: bool,
}

/// Settings of `model_info` that are acted on, and shown as they were written all the same.
static SHOWN: [&str; 5] = [
    "disable_background_health_check",
    "health_check_model",
    "health_check_timeout",
    "team_id",
    "team_public_model_name",
];

// --- Params ---

impl Params {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        Self {
            api_base: address(s, base_name(s), problems),
            api_key: s.secret("api_key"),
            api_version: s.text("api_version"),
            organization: s.text("organization"),
            project: None,
            timeout: s.seconds("timeout"),
            stream_timeout: s.seconds("stream_timeout"),
            hedge_after: s.int("hedge_after_ms").map(Duration::from_millis),
            silent_model: s.text("silent_model").filter(|name| !name.is_empty()),
            weight: s.node("weight").and_then(Node::as_f64),
            rpm: s.int("rpm"),
            tpm: s.int("tpm"),
            order: s.int("order"),
            budget: budget(s, "max_budget", problems),
            num_retries: s.count("num_retries").or_else(|| s.count("max_retries")),
            cooldown_time: s.seconds("cooldown_time"),
            region_name: s.text("region_name").filter(|region| !region.is_empty()),
            max_parallel_requests: s.count("max_parallel_requests"),
            mock_response: s.node("mock_response").map(text_or_json),
            mock_delay: s.seconds("mock_delay").unwrap_or_default(),
            mock_timeout: s.bool("mock_timeout").unwrap_or(false),
            use_in_pass_through: s.bool("use_in_pass_through").unwrap_or(false),
            max_file_size: s.node("max_file_size_mb").and_then(Node::as_f64).map(megabytes),
            drop_params: s.bool("drop_params"),
            additional_drop_params: s.texts("additional_drop_params").unwrap_or_default(),
            allowed_openai_params: s.texts("allowed_openai_params").unwrap_or_default(),
            extra_headers: headers(s, &HEADERS, problems),
            extra_body: s.node("extra_body").map(Node::entries).unwrap_or_default().iter().collect(),
            defaults: defaults(s),
            prices: prices::read(s, problems),
            tags: s.texts("tags").unwrap_or_default(),
            configurable_clientside_auth_params: client_params(s, problems),
            azure_ad_token: s.secret("azure_ad_token"),
            tenant_id: s.text("tenant_id"),
            client_id: s.text("client_id"),
            client_secret: s.secret("client_secret"),
            entra: Entra::read(s),
            vertex: Vertex::read(s),
            aws: Aws::read(s),
            cache_points: s.node("cache_control_injection_points").map(Node::to_json),
            merge_reasoning: s.bool("merge_reasoning_content_in_choices").unwrap_or(false),
            ssl_verify: s.node("ssl_verify").map(SslVerify::read),
            credential: s.text("litellm_credential_name"),
            rest: s.rest().collect(),
        }
    }
}

/// `base_url` is LiteLLM's other name for `api_base`.
fn base_name(s: &Section) -> &'static str {
    if s.node("api_base").is_some() { "api_base" } else { "base_url" }
}

/// An http or https address.
pub(super) fn address(s: &Section, name: &str, problems: &mut Problems) -> Option<String> {
    let base = s.text(name).filter(|base| !base.is_empty())?;
    let uri = base.parse::<Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    if !uri.as_ref().is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https"))) {
        problems.error(&s.place(name), "not an http:// or https:// address", "");
        return None;
    }
    if uri.and_then(|uri| uri.into_parts().authority).is_some_and(|at| at.as_str().contains('@')) {
        problems.error(
            &s.place(name),
            "a password in an address shows up in logs",
            "use api_key or extra_headers",
        );
        return None;
    }
    Some(base)
}

fn text_or_json(node: &Node) -> String {
    node.as_text().map_or_else(|| node.to_json(), str::to_owned)
}

/// Parameters of a request that have a row of their own all the same.
static REQUESTS: [&str; 1] = ["input_type"];

fn defaults(s: &Section) -> JsonMap {
    let known = s.entries().iter().filter(|(name, _)| REQUESTS.contains(&name.as_str()));
    s.open(Open::OpenAi).chain(s.unknown_names()).chain(known).collect()
}

/// Any part of a byte more would be one too many.
fn megabytes(number: f64) -> u64 {
    const BYTES: f64 = 1_048_576.0;
    (number * BYTES) as u64
}

/// LiteLLM's two names of them.
static HEADERS: [&str; 2] = ["headers", "extra_headers"];

/// Maps of headers; of the same name in two, the latter's.
pub(super) fn headers(s: &Section, maps: &[&str], problems: &mut Problems) -> Vec<(String, SecretString)> {
    let mut headers: Vec<(String, SecretString)> = Vec::new();
    for map in maps {
        let entries = s.node(map).map(Node::entries).unwrap_or_default();
        for (name, node) in entries.iter().filter(|(_, node)| !node.is_null()) {
            match header(name, node) {
                Ok(header) => {
                    headers.retain(|(known, _)| *known != header.0);
                    headers.push(header);
                }
                Err(why) => {
                    let path = format!("{}.{map}.{name}", s.at().path);
                    problems.error(&node.place(path), why, "");
                }
            }
        }
    }
    headers
}

fn header(name: &str, node: &Node) -> Result<(String, SecretString), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "not a header name")?;
    let value = match node.value {
        Value::Bool(b) => b.to_string(),
        _ => node.as_text().ok_or("a header's value must be text")?.to_owned(),
    };
    HeaderValue::from_str(&value).map_err(|_| "not a header value")?;
    Ok((name.as_str().to_owned(), value.into()))
}

/// `api_key`, or `{api_base: "^https://…"}`.
fn client_params(s: &Section, problems: &mut Problems) -> Vec<ClientParam> {
    let items = s.node("configurable_clientside_auth_params").map(Node::items).unwrap_or_default();
    let mut params = Vec::with_capacity(items.len());
    for item in items.iter().filter(|item| !item.is_null()) {
        match (item.as_text(), item.entries()) {
            (Some(name), _) => params.push(ClientParam { name: name.to_owned(), pattern: None }),
            (None, [(name, pattern)]) if pattern.as_text().is_some() => {
                params
                    .push(ClientParam { name: name.clone(), pattern: pattern.as_text().map(str::to_owned) });
            }
            _ => {
                let path = s.place("configurable_clientside_auth_params").path;
                problems.error(&item.place(path), "expected a name, or one name with its pattern", "");
            }
        }
    }
    params
}

// --- Info ---

impl Info {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let shown = s.entries().iter().filter(|(name, _)| SHOWN.contains(&name.as_str()));
        let filled = |name: &str| s.text(name).filter(|text| !text.is_empty());
        Self {
            base_model: filled("base_model"),
            mode: filled("mode"),
            access_groups: s.texts("access_groups").unwrap_or_default(),
            prices: prices::read(s, problems),
            max_tokens: s.int("max_tokens"),
            max_input_tokens: s.int("max_input_tokens"),
            max_output_tokens: s.int("max_output_tokens"),
            check: Check {
                model: filled("health_check_model"),
                timeout: s.seconds("health_check_timeout").filter(|timeout| !timeout.is_zero()),
                on_demand: s.bool("disable_background_health_check").unwrap_or(false),
            },
            team: filled("team_id"),
            team_public_name: filled("team_public_model_name"),
            by_team: s.bool("made_by_team").unwrap_or(false),
            rest: s.rest().chain(shown).collect(),
        }
    }
}
