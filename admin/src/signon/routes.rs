//! What browsers ask to sign in and out. The UI uses `/ui/*`; `/login`, `/v2/login` and `/fallback/login` are LiteLLM's.

use super::sessions::{self, Begun};
use super::{State, invite, origin, pages, password, sso};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Fields;
use crate::routes::{Access, route};
use crate::ui;
use axum::extract::Form;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::access::{Grant, RouteClass, session};
use weir_core::domain::key::{Caller, MASTER_USER};
use weir_core::domain::records::{Role, SignedBy};
use weir_core::time::Micros;

const P: RouteClass = RouteClass::Public;
const I: RouteClass = RouteClass::Info;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/ui/options", P, Grant::ANY, || get(options)),
    route(Method::GET, "/ui/session", I, Grant::ANY, || get(show).post(sign_in).delete(sign_out)),
    route(Method::POST, "/ui/session", P, Grant::ANY, || get(show).post(sign_in).delete(sign_out)),
    route(Method::DELETE, "/ui/session", I, Grant::ANY, || get(show).post(sign_in).delete(sign_out)),
    route(Method::DELETE, "/ui/sessions", I, Grant::ANY, || delete(sign_out_everywhere)),
    route(Method::POST, "/ui/invitation", P, Grant::ANY, || post(invite::accept)),
    route(Method::POST, "/login", P, Grant::ANY, || post(form)),
    route(Method::POST, "/v2/login", P, Grant::ANY, || post(login)),
    route(Method::GET, "/fallback/login", P, Grant::ANY, || get(fallback)),
    route(Method::GET, "/onboarding/get_token", P, Grant::ANY, || get(invite::onboarding)),
    route(Method::POST, "/onboarding/claim_token", P, Grant::ANY, || post(invite::claim_token)),
];

/// Whoever sees everything is told who the identity provider is, others whether there is one.
async fn options(context: Context) -> Json<Value> {
    let config = (context.services.config)();
    let mut told = json!({ "sso": sso::is_on(&config.env) });
    if sso::is_first(&config.env) {
        told["auto"] = true.into();
    }
    if context.sees_all() {
        told["provider"] = sso::told(&config.env);
    }
    Json(told)
}

// --- the UI's session ---

/// Who is calling. A key is told of its user, but has no session.
async fn show(context: Context, headers: HeaderMap) -> Json<Value> {
    let current = sessions::current(&context.services, &headers).await;
    let session = current.as_ref().and_then(|(_, known)| known.session.as_ref());
    let csrf = current.as_ref().map(|(token, _)| session::csrf(token));
    Json(told(&context.caller, csrf, session.map(|session| session.expires_at)))
}

fn told(caller: &Caller, csrf: Option<String>, expires_at: Option<Micros>) -> Value {
    json!({
        "user_id": caller.user_id(),
        "role": role(caller).as_str(),
        "csrf": csrf,
        "expires_at": expires_at.map(Micros::rfc3339),
    })
}

/// As the UI knows roles: an admin of an organisation is one, whatever else.
fn role(caller: &Caller) -> Role {
    let role = caller.role().unwrap_or(Role::InternalUserViewer);
    let administers = |known: &weir_core::domain::key::Principal| {
        known.memberships.iter().any(|member| member.role == Role::OrgAdmin)
    };
    let high = matches!(role, Role::ProxyAdmin | Role::ProxyAdminViewer);
    if !high && caller.principal().is_some_and(administers) { Role::OrgAdmin } else { role }
}

async fn sign_in(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    body: Fields,
) -> Result<Response, Refusal> {
    let begun = begin_asked(&context, &state, &headers, body).await?;
    let caller = caller_of(&context, &begun).await;
    let told = told(&caller, Some(session::csrf(&begun.token)), Some(begun.session.expires_at));
    let cookie = sessions::cookie_of(&context, &headers, &begun);
    Ok(sessions::with_cookies(Json(told).into_response(), &[cookie]))
}

/// Whom the session that has just begun stands for.
async fn caller_of(context: &Context, begun: &Begun) -> Caller {
    if let Some(master) = begun.session.master {
        return Caller::Master(master);
    }
    let known = context.services.lookup.session(&begun.session.hash).await;
    known.ok().flatten().map_or(Caller::Anonymous, Caller::Key)
}

/// With the name and password of a JSON body.
async fn begin_asked(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    mut body: Fields,
) -> Result<Begun, Refusal> {
    let (name, password) = (body.required_text("username"), body.required_text("password"));
    body.finish()?;
    begin(context, state, headers, &name, &password).await
}

async fn begin(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<Begun, Refusal> {
    let config = (context.services.config)();
    if !ui::is_on(&config.env) {
        return Err(ui::off());
    }
    origin::own(&config.env, headers)?;
    let who = password::check(context, state, headers, name, password).await?;
    sessions::begin(context, headers, &who, SignedBy::Password, None).await
}

/// Ends the session here; where the identity provider has one too, the answer says where to end that.
async fn sign_out(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let current = sessions::current(&context.services, &headers).await;
    let mut elsewhere = None;
    if let Some((token, known)) = current {
        sessions::end(&context, &token).await?;
        elsewhere = sso::log_out(&context, &state, &headers, known.session.as_ref()).await;
    }
    let answer = match elsewhere {
        Some(url) => Json(json!({ "logout_url": url })).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    Ok(gone(&context, &headers, answer))
}

/// Ends all sessions of whoever asks.
async fn sign_out_everywhere(context: Context, headers: HeaderMap) -> Result<Response, Refusal> {
    let user = context.caller.user_id().filter(|id| *id != MASTER_USER).map(str::to_owned);
    if user.is_some() || context.is_admin() {
        sessions::end_all(&context, user.as_deref()).await?;
    }
    Ok(gone(&context, &headers, StatusCode::NO_CONTENT.into_response()))
}

fn gone(context: &Context, headers: &HeaderMap, answer: Response) -> Response {
    let cookie = sessions::cookie(context, headers, session::COOKIE, "", 0);
    sessions::with_cookies(answer, &[cookie])
}

// --- LiteLLM's ---

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

async fn form(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    sent: Result<Form<Login>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(sent) = sent.map_err(|bad| {
        Refusal::told(bad.status().as_u16(), "invalid_request_error", "None", bad.body_text())
    })?;
    let begun = begin(&context, &state, &headers, &sent.username, &sent.password).await?;
    Ok(into_ui(&context, &headers, &begun))
}

/// Leads a browser into the UI with its session.
pub(super) fn into_ui(context: &Context, headers: &HeaderMap, begun: &Begun) -> Response {
    let to = format!("{}/ui/?login=success", (context.services.config)().env.server_root());
    let answer = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    sessions::with_cookies(answer, &[sessions::cookie_of(context, headers, begun)])
}

async fn login(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    body: Fields,
) -> Result<Response, Refusal> {
    let begun = begin_asked(&context, &state, &headers, body).await?;
    let base = origin::base_url(&(context.services.config)().env, &headers);
    let answer = Json(json!({ "redirect_url": format!("{base}/ui/?login=success") })).into_response();
    Ok(sessions::with_cookies(answer, &[sessions::cookie_of(&context, &headers, &begun)]))
}

async fn fallback(context: Context) -> Response {
    let env = (context.services.config)().env.clone();
    if ui::is_on(&env) { pages::form(&env.server_root()) } else { ui::off().into_response() }
}
