//! What comes of a code: tokens, and what they say. A token counts only if it was signed by this issuer for this client,
//! for this very sign-in, and has not expired.

use super::claims::Group;
use super::provider::{Discovered, Endpoints, Issuer, Provider};
use axum::http::{HeaderName, HeaderValue, Request, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{ClientId, ClientSecret, IssuerUrl, Nonce};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::str::FromStr;
use weir_core::ExposeSecret;
use weir_core::ports::identity::Fetch;
use weir_core::time;

/// Signatures that are taken. Not those of a shared secret, and never none.
fn algorithms() -> [Algorithm; 8] {
    [
        Algorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::RsaSsaPkcs1V15Sha384,
        Algorithm::RsaSsaPkcs1V15Sha512,
        Algorithm::RsaSsaPssSha256,
        Algorithm::RsaSsaPssSha384,
        Algorithm::RsaSsaPssSha512,
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
    ]
}

/// What a browser came back with, and what was remembered of its going.
pub(super) struct Back<'b> {
    pub(super) code: &'b str,
    pub(super) verifier: &'b str,
    pub(super) nonce: &'b str,
    pub(super) redirect_uri: &'b str,
    /// Tenants that may, of a provider of many; empty: all.
    pub(super) tenants: &'b [String],
}

/// What is known of whoever signed in.
pub(super) struct Known {
    pub(super) claims: Value,
    pub(super) id_token: Option<String>,
    /// Somebody of a tenant that nobody named.
    pub(super) of_any_tenant: bool,
    /// Groups that are to be teams.
    pub(super) assigned: Vec<Group>,
}

/// Changes a code for tokens and reads them.
///
/// # Errors
/// Why nobody is signed in, for the log.
pub(super) async fn redeem(
    provider: &Provider,
    discovered: &Discovered,
    http: &dyn Fetch,
    back: &Back<'_>,
) -> Result<Known, String> {
    let endpoints = discovered.endpoints(provider, http, false).await?;
    let answer = exchange(provider, &endpoints, http, back).await?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let (id_token, access_token) = (text("id_token"), text("access_token"));
    let mut claims = match &id_token {
        Some(token) => signed(provider, discovered, http, token, back).await?,
        None if endpoints.issuer.is_some() => return Err(String::from("the answer has no id token")),
        None => Map::new(),
    };
    if let (Some(address), Some(token)) = (&endpoints.userinfo, &access_token) {
        add(&mut claims, with_token(http, address, token, &provider.headers).await?)?;
    }
    if claims.is_empty() {
        return Err(String::from("neither an id token nor an address to ask about the user"));
    }
    // Keycloak tells roles in the access token only, which came from the provider itself.
    for (name, value) in access_token.as_deref().and_then(payload).unwrap_or_default() {
        claims.entry(name).or_insert(value);
    }
    let assigned = match (&provider.graph, &access_token) {
        (Some(graph), Some(token)) => graph.add_groups(http, token, &mut claims).await,
        _ => Vec::new(),
    };
    let of_any_tenant = matches!(endpoints.issuer, Some(Issuer::OfTenants(_))) && back.tenants.is_empty();
    Ok(Known { claims: Value::Object(claims), id_token, of_any_tenant, assigned })
}

// --- asking ---

/// With everything encoded that could mean something.
pub(super) fn encoded_text(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// `a=b&c=d`.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded_text(value))).collect::<Vec<_>>().join("&")
}

/// The operator's headers beside ours, which count where both have one: the body is a form, and the token is that of
/// whoever is asked about.
fn beside(mut request: Request<String>, headers: &[(HeaderName, HeaderValue)]) -> Request<String> {
    for (name, value) in headers {
        request.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    request
}

async fn exchange(
    provider: &Provider,
    endpoints: &Endpoints,
    http: &dyn Fetch,
    back: &Back<'_>,
) -> Result<Value, String> {
    let secret = provider.secret.expose_secret();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", back.code),
        ("redirect_uri", back.redirect_uri),
        ("code_verifier", back.verifier),
    ];
    let mut request = Request::post(&endpoints.token)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if provider.client_in_form || secret.is_empty() {
        form.push(("client_id", provider.client_id.as_str()));
    }
    if provider.client_in_form && !secret.is_empty() {
        form.push(("client_secret", secret));
    } else if !secret.is_empty() {
        // Both parts are encoded first: RFC 6749, section 2.3.1.
        let basic = format!("{}:{}", encoded_text(&provider.client_id), encoded_text(secret));
        let basic = STANDARD.encode(basic);
        request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
    }
    let request = request.body(encoded(&form)).map_err(|e| e.to_string())?;
    let answer = http.fetch(beside(request, &provider.headers)).await?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status == 200 {
        return Ok(told);
    }
    let why = told["error_description"].as_str().or(told["error"].as_str()).unwrap_or("no reason");
    Err(format!("the token endpoint answered {}: {why}", answer.status))
}

/// What an address tells whoever has this token.
pub(super) async fn with_token(
    http: &dyn Fetch,
    address: &str,
    token: &str,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<Map<String, Value>, String> {
    let request = Request::get(address)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(String::new());
    let answer = http.fetch(beside(request.map_err(|e| e.to_string())?, headers)).await?;
    if answer.status != 200 {
        return Err(format!("{address} answered {}", answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|e| format!("{address}: {e}"))
}

/// What is said of the same person elsewhere.
fn add(claims: &mut Map<String, Value>, more: Map<String, Value>) -> Result<(), String> {
    let other = claims.get("sub").zip(more.get("sub")).is_some_and(|(ours, theirs)| ours != theirs);
    if other {
        return Err(String::from("the user's details are of somebody else"));
    }
    claims.extend(more);
    Ok(())
}

// --- reading ---

/// The claims of an id token that is good. A key that is not known yet is asked for once.
async fn signed(
    provider: &Provider,
    discovered: &Discovered,
    http: &dyn Fetch,
    token: &str,
    back: &Back<'_>,
) -> Result<Map<String, Value>, String> {
    let endpoints = discovered.endpoints(provider, http, false).await?;
    let Some(issuer) = &endpoints.issuer else { return direct(provider, token, back.nonce) };
    // Read before it is believed: with another tenant it is of another issuer, and no good.
    let claims = payload(token).unwrap_or_default();
    let issuer = issuer.of(claims.get("tid").and_then(Value::as_str), back.tenants)?;
    if let Ok(claims) = verified(provider, &issuer, &endpoints, token, back.nonce) {
        return Ok(claims);
    }
    let endpoints = discovered.endpoints(provider, http, true).await?;
    verified(provider, &issuer, &endpoints, token, back.nonce)
}

fn verified(
    provider: &Provider,
    issuer: &IssuerUrl,
    endpoints: &Endpoints,
    token: &str,
    nonce: &str,
) -> Result<Map<String, Value>, String> {
    let read = CoreIdToken::from_str(token).map_err(|e| format!("the id token cannot be read: {e}"))?;
    let verifier = CoreIdTokenVerifier::new_confidential_client(
        ClientId::new(provider.client_id.clone()),
        ClientSecret::new(provider.secret.expose_secret().to_owned()),
        issuer.clone(),
        endpoints.keys.clone(),
    )
    .set_allowed_algs(algorithms());
    read.claims(&verifier, &Nonce::new(nonce.to_owned()))
        .map_err(|e| format!("the id token is no good: {e}"))?;
    payload(token).ok_or_else(|| String::from("the id token cannot be read"))
}

/// Without published keys a token is good because it came from the token endpoint itself (OpenID Connect Core, section
/// 3.1.3.7, point 6). It must still be for this client and this sign-in.
fn direct(provider: &Provider, token: &str, nonce: &str) -> Result<Map<String, Value>, String> {
    let claims = payload(token).ok_or_else(|| String::from("the id token cannot be read"))?;
    let of = |name: &str| claims.get(name).cloned().unwrap_or_default();
    let audience = match of("aud") {
        Value::Array(all) => all.iter().any(|one| *one == provider.client_id.as_str()),
        one => one == provider.client_id.as_str(),
    };
    if !audience {
        return Err(String::from("the id token is for another client"));
    }
    if of("nonce") != nonce {
        return Err(String::from("the id token is of another sign-in"));
    }
    if of("exp").as_i64().is_none_or(|at| at <= time::now().seconds()) {
        return Err(String::from("the id token has expired"));
    }
    Ok(claims)
}

/// The middle part of a token, if it is one that can be read.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, middle, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).ok()?).ok()
}
