//! The way to the identity provider and back. What is remembered meanwhile travels in a sealed cookie of the browser, so
//! that any replica may answer, and each sign-in counts once.

use super::claims::Person;
use super::people;
use super::provider::{Provider, provider};
use super::tokens::{Back, Known, encoded, redeem};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use crate::routes::{Access, route};
use crate::signon::routes::into_ui;
use crate::signon::sessions::{self, ID_TOKEN, Who};
use crate::signon::{State, origin, pages, password};
use crate::ui;
use axum::Extension;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use openidconnect::PkceCodeChallenge;
use serde::{Deserialize, Serialize};
use weir_core::access::session::cookie;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::records::{Session, SignedBy};
use weir_core::error::{ApiError, Kind};
use weir_core::time::{self, Micros};

const P: RouteClass = RouteClass::Public;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/sso/key/generate", P, Grant::ANY, || get(go)),
    route(Method::GET, "/sso/callback", P, Grant::ANY, || get(back)),
    route(Method::GET, "/sso/debug/login", P, Grant::ANY, || get(go_for_a_look)),
    route(Method::GET, "/sso/debug/callback", P, Grant::ANY, || get(back_from_a_look)),
];

const CALLBACK: &str = "/sso/callback";
const DEBUG_CALLBACK: &str = "/sso/debug/callback";

const COOKIE: &str = "weir_sso";
/// What the cookie is sealed for.
const PURPOSE: &str = "sso sign-in";
/// How long somebody may take at the provider, in seconds.
const PATIENCE: i64 = 600;

/// What is remembered of a browser that was sent away.
#[derive(Serialize, Deserialize)]
struct Away {
    state: String,
    nonce: String,
    verifier: String,
    /// The path that it is to come back to.
    callback: String,
    until: Micros,
}

// --- there ---

async fn go(context: Context, Extension(state): Extension<State>, headers: HeaderMap) -> Response {
    leave(&context, &state, &headers, CALLBACK).await
}

async fn go_for_a_look(context: Context, Extension(state): Extension<State>, headers: HeaderMap) -> Response {
    leave(&context, &state, &headers, DEBUG_CALLBACK).await
}

async fn leave(context: &Context, state: &State, headers: &HeaderMap, callback: &str) -> Response {
    let env = (context.services.config)().env.clone();
    if !ui::is_on(&env) {
        return ui::off().into_response();
    }
    // As with LiteLLM: without a provider this is the way to sign in with a password.
    let Some(provider) = provider(&env) else { return pages::form(&env.server_root()) };
    match sent_away(context, state, headers, &provider, callback).await {
        Ok(response) => response,
        Err(refusal) => told(context, &refusal),
    }
}

async fn sent_away(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    provider: &Provider,
    callback: &str,
) -> Result<Response, Refusal> {
    let http = context.services.http.as_ref();
    let endpoints = state.discovered.endpoints(provider, http, false).await.map_err(unreachable)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let away = Away {
        state: sessions::random()?,
        nonce: sessions::random()?,
        verifier: verifier.secret().clone(),
        callback: callback.to_owned(),
        until: Micros(time::now().0 + PATIENCE * 1_000_000),
    };
    let redirect_uri = address(context, headers, callback);
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", provider.client_id.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", provider.scope.as_str()),
        ("state", away.state.as_str()),
        ("nonce", away.nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ]);
    let joint = if endpoints.authorize.contains('?') { '&' } else { '?' };
    let to = format!("{}{joint}{query}", endpoints.authorize);
    let text = serde_json::to_string(&away).unwrap_or_default();
    let sealed = context.services.control.seal(PURPOSE, &text).ok_or_else(unsealed)?;
    let cookie = sessions::cookie(context, headers, COOKIE, &sealed, PATIENCE);
    let answer = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    Ok(sessions::with_cookies(answer, &[cookie]))
}

/// Where the provider sends browsers back to. Never what a request says, so nobody is led elsewhere.
fn address(context: &Context, headers: &HeaderMap, callback: &str) -> String {
    format!("{}{callback}", origin::base_url(&(context.services.config)().env, headers))
}

fn unreachable(why: String) -> Refusal {
    let message = "The identity provider cannot be used at the moment. See the log of the gateway.";
    ApiError::new(Kind::Internal, message).with_status(503).because(why).into()
}

fn unsealed() -> Refusal {
    ApiError::new(
        Kind::Internal,
        "Nothing can be encrypted here: neither a salt key nor a master key is set.",
    )
    .into()
}

// --- and back ---

async fn back(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let done = arrive(&context, &state, &headers, &params).await;
    let response = done.unwrap_or_else(|refusal| told(&context, &refusal));
    forgotten(&context, &headers, response)
}

async fn arrive(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, Refusal> {
    let known = known(context, state, headers, params, CALLBACK).await?;
    let config = (context.services.config)();
    let provider = provider(&config.env).ok_or_else(lost)?;
    let person = provider.names.person(&known.claims);
    let person = person.ok_or_else(|| failed("the claim with the user's id is missing"))?;
    let person = person.in_teams_of(config.general.jwt.team_list.as_deref(), &known.claims);
    let person = Person { assigned: known.assigned, ..person };
    let person = if known.of_any_tenant { person.of_any_tenant(&known.claims) } else { person };
    let who = Who::User(Box::new(people::user(context, &person).await?));
    password::admitted(context, &who)?;
    let begun = sessions::begin(context, headers, &who, SignedBy::Sso, known.id_token.as_deref()).await?;
    Ok(into_ui(context, headers, &begun))
}

/// Shows what the provider says, and signs nobody in.
async fn back_from_a_look(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let response = match known(&context, &state, &headers, &params, DEBUG_CALLBACK).await {
        Ok(known) => pages::claims(&format!("{:#}", known.claims)),
        Err(refusal) => told(&context, &refusal),
    };
    forgotten(&context, &headers, response)
}

/// What is known of whoever came back, after everything was checked that can be.
async fn known(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    params: &Params,
    callback: &str,
) -> Result<Known, Refusal> {
    let config = (context.services.config)();
    if !ui::is_on(&config.env) {
        return Err(ui::off());
    }
    password::throttled(state, headers)?;
    let provider = provider(&config.env).ok_or_else(lost)?;
    let away = remembered(context, headers).filter(|away| away.callback == callback).ok_or_else(lost)?;
    let same = params.get("state").is_some_and(|sent| KeyHash::of(sent) == KeyHash::of(&away.state));
    if !same || away.until <= time::now() {
        return Err(lost());
    }
    sessions::spend(context, &away.state, away.until).await?;
    if let Some(why) = params.get("error_description").or(params.get("error")) {
        return Err(failed(why));
    }
    let code = params.get("code").ok_or_else(lost)?;
    let redirect_uri = address(context, headers, callback);
    let tenants = &config.weir.microsoft_tenants;
    let back =
        Back { code, verifier: &away.verifier, nonce: &away.nonce, redirect_uri: &redirect_uri, tenants };
    let http = context.services.http.as_ref();
    redeem(&provider, &state.discovered, http, &back).await.map_err(|why| failed(&why))
}

fn remembered(context: &Context, headers: &HeaderMap) -> Option<Away> {
    let sealed = cookie(headers, COOKIE)?;
    serde_json::from_str(&context.services.control.open(PURPOSE, sealed)?).ok()
}

fn lost() -> Refusal {
    let message = "This sign-in was not begun in this browser, or took too long. Sign in again.";
    Refusal::told(400, "auth_error", "state", message)
}

/// The reason is for the log: it may be the words of whoever made the link.
fn failed(why: &str) -> Refusal {
    let message = "The identity provider did not sign you in. See the log of the gateway for the reason.";
    ApiError::new(Kind::BadRequest, message).with_type("auth_error").because(why).into()
}

fn told(context: &Context, refusal: &Refusal) -> Response {
    let root = (context.services.config)().env.server_root();
    if let Refusal::Api(error) = refusal {
        if let Some(cause) = error.cause() {
            tracing::warn!(cause, "sso: {error}");
        }
        return pages::failed(error.status(), error.message(), &root);
    }
    pages::failed(400, &refusal.message(), &root)
}

/// Whatever came of it, what was remembered is of no more use.
fn forgotten(context: &Context, headers: &HeaderMap, response: Response) -> Response {
    let gone = sessions::cookie(context, headers, COOKIE, "", 0);
    sessions::with_cookies(response, &[gone])
}

// --- out ---

/// Where a browser ends its session elsewhere, if there is such a place.
pub(in crate::signon) async fn log_out(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    session: Option<&Session>,
) -> Option<String> {
    let env = (context.services.config)().env.clone();
    if let Some(url) = env.filled("PROXY_LOGOUT_URL") {
        return Some(url.to_owned());
    }
    let session = session.filter(|session| session.by == SignedBy::Sso)?;
    let provider = provider(&env)?;
    let http = context.services.http.as_ref();
    let endpoints = state.discovered.endpoints(&provider, http, false).await.ok()?;
    let end = endpoints.end_session.clone()?;
    let back = format!("{}/ui/", origin::base_url(&env, headers));
    let sealed = session.sealed_id_token.as_deref();
    let hint = sealed.and_then(|sealed| context.services.control.open(ID_TOKEN, sealed));
    let mut query =
        vec![("client_id", provider.client_id.as_str()), ("post_logout_redirect_uri", back.as_str())];
    query.extend(hint.as_deref().map(|hint| ("id_token_hint", hint)));
    let joint = if end.contains('?') { '&' } else { '?' };
    Some(format!("{end}{joint}{}", encoded(&query)))
}
