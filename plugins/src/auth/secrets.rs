//! Secret managers: what a configuration refers to is fetched once, before it is read. Sources: AWS Secrets Manager API
//! Reference, GetSecretValue; Vault's HTTP API, KV version 2 and AppRole.

use super::aws::Source;
use super::http::{Http, address};
use super::signer::{Service, ToSend, sign_for};
use crate::providers::bedrock::region_of;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::time::Duration;
use weir_core::config::env::Env;
use weir_core::config::{Aws, Keeper, SecretsWanted};
use weir_core::ports::identity::{Fetch as _, Fetched};

/// All of them together. Who waits longer should be told why there is no gateway.
const WHOLE: Duration = Duration::from_secs(60);

/// What a manager has.
#[derive(Default)]
pub struct Secrets {
    /// Names and values, to be laid over the environment.
    pub found: Vec<(String, String)>,
    /// Names that it keeps from this gateway; the environment may still have them.
    pub refused: Vec<String>,
}

/// Asks for everything that is wanted. What the manager does not have is left out.
///
/// # Errors
/// It does not answer, or does not know this gateway. The text names addresses and no secret.
pub async fn fetch(wanted: &SecretsWanted) -> Result<Secrets, String> {
    let late = |_| format!("the secret manager has not told everything in {} s", WHOLE.as_secs());
    tokio::time::timeout(WHOLE, Box::pin(all(wanted))).await.map_err(late)?
}

async fn all(wanted: &SecretsWanted) -> Result<Secrets, String> {
    let http = Http::new(&wanted.env);
    let manager = Manager::of(wanted, &http).await?;
    if let Some(primary) = &wanted.primary {
        return unpacked(manager.ask(&http, primary).await?, primary, wanted);
    }
    let mut secrets = Secrets::default();
    for name in &wanted.names {
        match manager.ask(&http, name).await? {
            Came::Value(value) => secrets.found.push((name.clone(), value)),
            Came::Refused => secrets.refused.push(name.clone()),
            Came::Nothing => {}
        }
    }
    Ok(secrets)
}

/// What came of one name.
enum Came {
    Value(String),
    Nothing,
    Refused,
}

/// All secrets in one.
fn unpacked(came: Came, primary: &str, wanted: &SecretsWanted) -> Result<Secrets, String> {
    let Came::Value(text) = came else { return Err(format!("there is no secret {primary}, or not for us")) };
    let members: serde_json::Map<String, Value> =
        serde_json::from_str(&text).map_err(|_| format!("the secret {primary} is no JSON object"))?;
    let taken = |name: &String| !wanted.only_these || wanted.names.contains(name);
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let found = members.into_iter().filter(|(name, _)| taken(name));
    Ok(Secrets { found: found.map(|(name, value)| (name, text(value))).collect(), refused: Vec::new() })
}

enum Manager {
    Aws(Box<SecretsManager>),
    Vault(Vault),
}

impl Manager {
    async fn of(wanted: &SecretsWanted, http: &Http) -> Result<Self, String> {
        Ok(match &wanted.keeper {
            Keeper::Aws(aws) => Manager::Aws(Box::new(SecretsManager::new(aws, &wanted.env)?)),
            Keeper::Vault => Manager::Vault(Vault::open(&wanted.env, http).await?),
        })
    }

    async fn ask(&self, http: &Http, name: &str) -> Result<Came, String> {
        match self {
            Manager::Aws(manager) => manager.ask(http, name).await,
            Manager::Vault(vault) => vault.ask(http, name).await,
        }
    }
}

// --- AWS Secrets Manager ---

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const GET: HeaderValue = HeaderValue::from_static("secretsmanager.GetSecretValue");
const VERSION: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// Where it is, before AWS's own variable for all services.
static ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"];

/// Faults that are about one secret.
static REFUSALS: &[&str] = &["AccessDeniedException", "DecryptionFailure", "InvalidRequestException"];

struct SecretsManager {
    source: Source,
    region: String,
    url: Uri,
}

impl SecretsManager {
    fn new(aws: &Aws, env: &Env) -> Result<Self, String> {
        let region = region_of(aws.region.as_deref(), env);
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let usual = format!("https://secretsmanager.{region}.{domain}");
        let said = ENDPOINTS.iter().find_map(|name| env.filled(name)).unwrap_or(&usual);
        let url = address(said.trim_end_matches('/'))
            .ok_or("AWS_ENDPOINT_URL_SECRETS_MANAGER or AWS_ENDPOINT_URL is no address")?;
        Ok(Self { source: Source::new(aws.clone(), &region, env), region, url })
    }

    async fn ask(&self, http: &Http, name: &str) -> Result<Came, String> {
        let body = json!({ "SecretId": name }).to_string();
        let mut headers = HeaderMap::from_iter([(TARGET, GET), (CONTENT_TYPE, VERSION)]);
        let url = self.url.to_string();
        let to_sign = ToSend { method: "POST", url: &url, headers: &mut headers, body: body.as_bytes() };
        let service = Service { name: "secretsmanager", region: &self.region };
        sign_for(&self.source, service, to_sign).await?;
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        let answer = http.fetch(request).await?;
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status == 200 {
            return Ok(told["SecretString"]
                .as_str()
                .map_or(Came::Nothing, |text| Came::Value(text.to_owned())));
        }
        let fault = told["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        match fault {
            "ResourceNotFoundException" => Ok(Came::Nothing),
            _ if REFUSALS.contains(&fault) => Ok(Came::Refused),
            _ => Err(format!("AWS Secrets Manager answers {} {fault:.100}", answer.status)),
        }
    }
}

// --- Vault ---

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");

/// What may stand in a path as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'/');

struct Vault {
    /// Address, mount and prefix; a name follows.
    base: String,
    /// Token and namespace.
    headers: HeaderMap,
}

impl Vault {
    async fn open(env: &Env, http: &Http) -> Result<Self, String> {
        let said = env.filled("HCP_VAULT_ADDR").ok_or("HCP_VAULT_ADDR does not say where Vault is")?;
        let server = said.trim_end_matches('/');
        address(server).ok_or("HCP_VAULT_ADDR is no address")?;
        let part = |name: &str| env.filled(name).map(|text| text.trim_matches('/').to_owned());
        let mut headers = HeaderMap::new();
        if let Some(namespace) = part("HCP_VAULT_NAMESPACE") {
            headers.insert(NAMESPACE, hidden("HCP_VAULT_NAMESPACE", &namespace)?);
        }
        let token = match logged_in(env, http, server, &headers).await? {
            Some(token) => token,
            None => env
                .filled("HCP_VAULT_TOKEN")
                .ok_or("neither HCP_VAULT_TOKEN nor an AppRole is set")?
                .to_owned(),
        };
        headers.insert(TOKEN, hidden("the token of Vault", &token)?);
        let mount = part("HCP_VAULT_MOUNT_NAME").unwrap_or_else(|| "secret".to_owned());
        let prefix = part("HCP_VAULT_PATH_PREFIX").map(|prefix| format!("{prefix}/")).unwrap_or_default();
        Ok(Self { base: format!("{server}/v1/{mount}/data/{prefix}"), headers })
    }

    /// As LiteLLM has it, a secret's value stands under `key`.
    async fn ask(&self, http: &Http, name: &str) -> Result<Came, String> {
        let url = format!("{}{}", self.base, utf8_percent_encode(name, KEPT));
        let answer = sent(http, Method::GET, &url, &self.headers, String::new()).await?;
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200 => Ok(told["data"]["data"]["key"]
                .as_str()
                .map_or(Came::Nothing, |text| Came::Value(text.to_owned()))),
            404 => Ok(Came::Nothing),
            403 => Ok(Came::Refused),
            status => Err(format!("Vault answers {status}")),
        }
    }
}

/// A token for the AppRole, if there is one.
async fn logged_in(
    env: &Env,
    http: &Http,
    server: &str,
    headers: &HeaderMap,
) -> Result<Option<String>, String> {
    let pair = env.filled("HCP_VAULT_APPROLE_ROLE_ID").zip(env.filled("HCP_VAULT_APPROLE_SECRET_ID"));
    let Some((role, secret)) = pair else { return Ok(None) };
    let mount = env.filled("HCP_VAULT_APPROLE_MOUNT_PATH").unwrap_or("approle").trim_matches('/');
    let url = format!("{server}/v1/auth/{mount}/login");
    let body = json!({ "role_id": role, "secret_id": secret }).to_string();
    let answer = sent(http, Method::POST, &url, headers, body).await?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match told["auth"]["client_token"].as_str().filter(|_| answer.status == 200) {
        Some(token) => Ok(Some(token.to_owned())),
        None => Err(format!("Vault gives no token for the AppRole: it answers {}", answer.status)),
    }
}

async fn sent(
    http: &Http,
    method: Method,
    url: &str,
    headers: &HeaderMap,
    body: String,
) -> Result<Fetched, String> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = url.parse::<Uri>().map_err(|e| format!("{url}: {e}"))?;
    *request.headers_mut() = headers.clone();
    http.fetch(request).await
}

fn hidden(what: &str, text: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| format!("{what} cannot be sent as a header"))?;
    value.set_sensitive(true);
    Ok(value)
}
