//! Who signs people in: from the variables that LiteLLM reads, and from what the provider publishes about itself.

use super::claims::Names;
use super::graph::Graph;
use axum::http::{HeaderName, HeaderValue, Request};
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{IssuerUrl, JsonWebKeySet};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use weir_core::SecretString;
use weir_core::config::env::Env;
use weir_core::ports::identity::Fetch;

/// How an identity provider is asked.
pub(super) struct Provider {
    /// `google`, `microsoft` or `generic`, as LiteLLM's variables begin.
    kind: &'static str,
    pub(super) client_id: String,
    /// Empty for a public client.
    pub(super) secret: SecretString,
    issuer: Option<String>,
    authorize: Option<String>,
    token: Option<String>,
    userinfo: Option<String>,
    pub(super) scope: String,
    /// Some providers want the client in the form instead of a header.
    pub(super) client_in_form: bool,
    /// The operator's own, on what is asked with a code or a token, where we have none of that name.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Where more is asked of groups.
    pub(super) graph: Option<Graph>,
    pub(super) names: Names,
}

/// Where things are asked, and the keys that tokens are signed with.
#[derive(Clone)]
pub(super) struct Endpoints {
    /// `None`: nothing was published, so what comes from the token endpoint itself is believed.
    pub(super) issuer: Option<Issuer>,
    pub(super) authorize: String,
    pub(super) token: String,
    pub(super) userinfo: Option<String>,
    pub(super) end_session: Option<String>,
    pub(super) keys: CoreJsonWebKeySet,
}

/// Who signs.
#[derive(Clone)]
pub(super) enum Issuer {
    One(IssuerUrl),
    /// Each of Microsoft's tenants has an issuer of its own; `{tenantid}` stands for it.
    OfTenants(String),
}

/// What a provider of many tenants publishes in place of one.
const TENANT: &str = "{tenantid}";

/// The provider as it was last asked about itself.
#[derive(Default)]
pub(crate) struct Discovered {
    last: Mutex<Option<Found>>,
}

struct Found {
    key: String,
    at: Instant,
    endpoints: Arc<Endpoints>,
}

/// Keys and addresses change rarely; after an hour they are asked for again, and before where a signature has no key.
const FRESH: Duration = Duration::from_secs(3_600);
/// Nobody can make the gateway ask more often than that.
const SOONEST: Duration = Duration::from_secs(10);

const SCOPE: &str = "openid email profile";
/// As far as Microsoft's Graph is to tell which groups somebody is in.
const SCOPE_OF_GRAPH: &str = "openid email profile User.Read";
/// Behind the address of a tenant, in whichever of Microsoft's clouds.
const MICROSOFT_DOOR: &str = "/oauth2/v2.0/authorize";

/// The provider of the environment: Google's, Microsoft's or any other, in LiteLLM's order.
pub(super) fn provider(env: &Env) -> Option<Provider> {
    google(env).or_else(|| microsoft(env)).or_else(|| generic(env))
}

fn named(env: &Env, kind: &'static str, id: &str, secret: &str) -> Option<Provider> {
    Some(Provider {
        kind,
        client_id: env.filled(id)?.to_owned(),
        secret: SecretString::from(env.filled(secret).unwrap_or_default()),
        issuer: None,
        authorize: None,
        token: None,
        userinfo: None,
        scope: SCOPE.to_owned(),
        client_in_form: false,
        headers: Vec::new(),
        graph: None,
        names: Names::generic(env),
    })
}

fn google(env: &Env) -> Option<Provider> {
    let issuer = Some(String::from("https://accounts.google.com"));
    let found = named(env, "google", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")?;
    Some(Provider { issuer, names: Names::google(env), ..found })
}

fn microsoft(env: &Env) -> Option<Provider> {
    let text = |name: &str| env.filled(name).map(str::to_owned);
    let found = named(env, "microsoft", "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET")?;
    let authorize = text("MICROSOFT_AUTHORIZATION_ENDPOINT");
    // The cloud of a government has addresses of its own, and issuers.
    let tenant = env.filled("MICROSOFT_TENANT").unwrap_or("common");
    let usual = format!("https://login.microsoftonline.com/{tenant}");
    let base = authorize.as_deref().and_then(|url| url.strip_suffix(MICROSOFT_DOOR)).unwrap_or(&usual);
    Some(Provider {
        issuer: Some(format!("{base}/v2.0")),
        authorize,
        token: text("MICROSOFT_TOKEN_ENDPOINT"),
        userinfo: text("MICROSOFT_USERINFO_ENDPOINT"),
        scope: SCOPE_OF_GRAPH.to_owned(),
        client_in_form: true,
        graph: Some(Graph::of(env)),
        names: Names::microsoft(env),
        ..found
    })
}

fn generic(env: &Env) -> Option<Provider> {
    let text = |name: &str| env.filled(name).map(str::to_owned);
    let found = named(env, "generic", "GENERIC_CLIENT_ID", "GENERIC_CLIENT_SECRET")?;
    Some(Provider {
        issuer: text("GENERIC_ISSUER"),
        authorize: text("GENERIC_AUTHORIZATION_ENDPOINT"),
        token: text("GENERIC_TOKEN_ENDPOINT"),
        userinfo: text("GENERIC_USERINFO_ENDPOINT"),
        scope: text("GENERIC_SCOPE").unwrap_or(found.scope),
        client_in_form: env.is_on("GENERIC_INCLUDE_CLIENT_ID"),
        headers: headers(env.filled("GENERIC_SSO_HEADERS").unwrap_or_default()),
        ..found
    })
}

/// `name=value, …`; what is none is left out.
fn headers(written: &str) -> Vec<(HeaderName, HeaderValue)> {
    let read = |(name, value): (&str, &str)| {
        let name = HeaderName::try_from(name.trim()).ok()?;
        let mut value = HeaderValue::try_from(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    written.split(',').filter_map(|pair| pair.split_once('=')).filter_map(read).collect()
}

// --- what it publishes ---

impl Discovered {
    /// Addresses and keys; from memory while they are fresh. `anew`: a token was signed with a key that is not among them.
    ///
    /// # Errors
    /// What is missing or cannot be reached, for the log.
    pub(super) async fn endpoints(
        &self,
        provider: &Provider,
        http: &dyn Fetch,
        anew: bool,
    ) -> Result<Arc<Endpoints>, String> {
        let key = provider.key();
        // Held while asking: who comes meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        let longest = if anew { SOONEST } else { FRESH };
        if let Some(found) = last.as_ref().filter(|found| found.key == key && found.at.elapsed() < longest) {
            return Ok(Arc::clone(&found.endpoints));
        }
        let endpoints = Arc::new(provider.ask(http).await?);
        *last = Some(Found { key, at: Instant::now(), endpoints: Arc::clone(&endpoints) });
        Ok(endpoints)
    }
}

impl Provider {
    /// For people who look. Nothing of it is a secret.
    pub(super) fn told(&self) -> Value {
        json!({
            "kind": self.kind,
            "issuer": self.issuer,
            "authorization_endpoint": self.authorize,
            "client_id": self.client_id,
            "scope": self.scope,
            "claims": self.names.told(),
        })
    }

    /// What its addresses follow from.
    fn key(&self) -> String {
        let parts = [&self.issuer, &self.authorize, &self.token, &self.userinfo];
        let parts: Vec<&str> = parts.into_iter().map(|part| part.as_deref().unwrap_or_default()).collect();
        format!("{} {}", self.client_id, parts.join(" "))
    }

    async fn ask(&self, http: &dyn Fetch) -> Result<Endpoints, String> {
        let Some(issuer) = &self.issuer else { return self.as_set() };
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = get(http, &address).await?;
        let metadata: CoreProviderMetadata =
            serde_json::from_value(document.clone()).map_err(|e| format!("{address}: {e}"))?;
        let published = Issuer::published(issuer, metadata.issuer())
            .ok_or_else(|| format!("{address} is of another issuer: {}", metadata.issuer().as_str()))?;
        let keys = get(http, metadata.jwks_uri().as_str()).await?;
        let keys: CoreJsonWebKeySet = serde_json::from_value(keys).map_err(|e| format!("keys: {e}"))?;
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        let or = |own: &Option<String>, name: &str| own.clone().or_else(|| text(name));
        Ok(Endpoints {
            issuer: Some(published),
            authorize: or(&self.authorize, "authorization_endpoint").ok_or("no authorization endpoint")?,
            token: or(&self.token, "token_endpoint").ok_or("no token endpoint")?,
            userinfo: or(&self.userinfo, "userinfo_endpoint"),
            end_session: text("end_session_endpoint"),
            keys,
        })
    }

    /// Only what the environment says.
    fn as_set(&self) -> Result<Endpoints, String> {
        let missing = |name: &str| format!("set {name}, or GENERIC_ISSUER");
        Ok(Endpoints {
            issuer: None,
            authorize: self.authorize.clone().ok_or_else(|| missing("GENERIC_AUTHORIZATION_ENDPOINT"))?,
            token: self.token.clone().ok_or_else(|| missing("GENERIC_TOKEN_ENDPOINT"))?,
            userinfo: self.userinfo.clone(),
            end_session: None,
            keys: JsonWebKeySet::new(Vec::new()),
        })
    }
}

// --- impl Issuer ---

impl Issuer {
    /// The one that was asked for, or those of all tenants where it was asked for in place of a tenant.
    fn published(asked: &str, told: &IssuerUrl) -> Option<Self> {
        let (asked, published) = (asked.trim_end_matches('/'), told.as_str().trim_end_matches('/'));
        if published == asked {
            return Some(Issuer::One(told.clone()));
        }
        let (before, after) = published.split_once(TENANT)?;
        let in_place = asked.strip_prefix(before)?.strip_suffix(after)?;
        let one = !in_place.is_empty() && !in_place.contains('/');
        one.then(|| Issuer::OfTenants(told.as_str().to_owned()))
    }

    /// The issuer of a token whose tenant is this one.
    ///
    /// # Errors
    /// It has none, or one that nobody knows.
    pub(super) fn of(&self, tenant: Option<&str>, known: &[String]) -> Result<IssuerUrl, String> {
        let template = match self {
            Issuer::One(issuer) => return Ok(issuer.clone()),
            Issuer::OfTenants(template) => template,
        };
        let tenant = tenant.filter(|id| is_tenant(id)).ok_or("the id token has no tenant")?;
        if !known.is_empty() && !known.iter().any(|one| one.eq_ignore_ascii_case(tenant)) {
            return Err(format!("its tenant {tenant} is none of weir_settings.microsoft_tenants"));
        }
        IssuerUrl::new(template.replace(TENANT, tenant)).map_err(|e| e.to_string())
    }
}

fn is_tenant(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

async fn get(http: &dyn Fetch, address: &str) -> Result<Value, String> {
    let request = Request::get(address).header("accept", "application/json").body(String::new());
    let answer = http.fetch(request.map_err(|e| format!("{address}: {e}"))?).await?;
    if answer.status != 200 {
        return Err(format!("{address} answered {}", answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|e| format!("{address}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p37_only_the_issuer_that_was_asked_for_or_those_of_its_tenants_are_one() {
        let published =
            |asked: &str, told: &str| Issuer::published(asked, &IssuerUrl::new(told.into()).unwrap());
        let (common, template) = ("https://ms.example/common/v2.0", "https://ms.example/{tenantid}/v2.0");
        for (asked, told, ok) in [
            ("https://a.example/", "https://a.example", true),
            ("https://a.example", "https://b.example", false),
            (common, template, true),
            (common, "https://evil.example/{tenantid}/v2.0", false),
            ("https://ms.example/a/b/v2.0", template, false),
            ("https://ms.example//v2.0", template, false),
        ] {
            assert_eq!(published(asked, told).is_some(), ok, "{asked} {told}");
        }
        let all = published(common, template).unwrap();
        assert_eq!(all.of(Some("t-1"), &[]).unwrap().as_str(), "https://ms.example/t-1/v2.0");
        assert!(all.of(Some("t-1"), &["T-1".into()]).is_ok());
        for tenant in [None, Some(""), Some("a/b"), Some("t-1")] {
            assert!(all.of(tenant, &["t-2".into()]).is_err(), "{tenant:?}");
        }
    }

    #[test]
    fn a_provider_is_known_by_its_client() {
        assert!(provider(&Env::of([("GENERIC_CLIENT_SECRET", "s")])).is_none());
        let env = Env::of([("GENERIC_CLIENT_ID", "weir"), ("GENERIC_SCOPE", "openid groups")]);
        let generic = provider(&env).unwrap();
        assert_eq!((generic.client_id.as_str(), generic.scope.as_str()), ("weir", "openid groups"));
        assert!(generic.as_set().is_err_and(|why| why.contains("GENERIC_AUTHORIZATION_ENDPOINT")));
        let env = env.with([("MICROSOFT_CLIENT_ID", "ms"), ("MICROSOFT_TENANT", "t1")]);
        let microsoft = provider(&env).unwrap();
        assert_eq!(microsoft.issuer.as_deref(), Some("https://login.microsoftonline.com/t1/v2.0"));
        let door = "https://login.microsoftonline.us/t2/oauth2/v2.0/authorize";
        let elsewhere = provider(&env.with([("MICROSOFT_AUTHORIZATION_ENDPOINT", door)])).unwrap();
        assert_eq!(elsewhere.issuer.as_deref(), Some("https://login.microsoftonline.us/t2/v2.0"));
        assert_eq!(elsewhere.authorize.as_deref(), Some(door));
    }

    #[test]
    fn headers_are_the_operators() {
        let told = headers("X-Realm = blue,nonsense, bad name=x, authorization=Bearer a=b,");
        let told: Vec<(&str, &str)> =
            told.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(told, [("x-realm", "blue"), ("authorization", "Bearer a=b")]);
    }
}
