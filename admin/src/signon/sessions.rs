//! Making, noting and ending sessions. The ledger keeps the hash of a token; the token itself is only in a cookie that
//! no script can read.

use super::origin;
use crate::context::Context;
use crate::error::Refusal;
use crate::service::Services;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use std::sync::Arc;
use std::time::Duration;
use weir_core::access::session;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Principal;
use weir_core::domain::records::{RecordKind, Role, Session, SignedBy, User};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::{Change, Condition, LedgerResult, RecordQuery, Sort, records};
use weir_core::time::{self, Micros};

/// Sessions that one user has at most; the oldest ends when another one begins.
const MOST: u32 = 20;

/// Of the identity provider's token that is shown when a session ends.
pub(super) const ID_TOKEN: &str = "id token";

/// Who is signed in.
pub(super) enum Who {
    Master(KeyHash),
    User(Box<User>),
}

/// A session that has begun.
pub(super) struct Begun {
    pub(super) token: String,
    pub(super) session: Session,
}

impl Who {
    pub(super) fn is_admin(&self) -> bool {
        match self {
            Who::Master(_) => true,
            Who::User(user) => matches!(user.role, Some(Role::ProxyAdmin | Role::ProxyAdminViewer)),
        }
    }
}

// --- beginning ---

/// Begins a session with a token of its own; one that the browser had before ends. `id_token`: to be shown to the
/// identity provider at the end.
pub(super) async fn begin(
    context: &Context,
    headers: &HeaderMap,
    who: &Who,
    by: SignedBy,
    id_token: Option<&str>,
) -> Result<Begun, Refusal> {
    let token = format!("{}{}", session::PREFIX, random()?);
    let session = new(context, who, by, &token, id_token);
    let mut changes = vec![records::insert(&session, session.seen_at, session.user_id.as_deref())?];
    let mut over = surplus(context, session.user_id.as_deref()).await?;
    over.extend(session::token(headers).map(|old| KeyHash::of(old).hex()));
    changes.extend(over.iter().map(|id| Change::Delete { kind: RecordKind::Session, id: id.clone() }));
    context.directory().commit(&changes, &[]).await?;
    for id in &over {
        context.services.lookup.forget(RecordKind::Session, id).await;
    }
    tracing::info!(user = session.user_id.as_deref().unwrap_or("master"), by = ?by, "signed in");
    Ok(Begun { token, session })
}

fn new(context: &Context, who: &Who, by: SignedBy, token: &str, id_token: Option<&str>) -> Session {
    let config = (context.services.config)();
    let now = time::now();
    let (user_id, master) = match who {
        Who::Master(hash) => (None, Some(*hash)),
        Who::User(user) => (Some(user.id.clone()), None),
    };
    Session {
        hash: KeyHash::of(token),
        user_id,
        master,
        by,
        seen_at: now,
        idle: micros(config.weir.ui_session_idle),
        expires_at: Micros(now.0.saturating_add(micros(config.weir.ui_session_lifetime))),
        sealed_id_token: id_token.and_then(|text| context.services.control.seal(ID_TOKEN, text)),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// 32 random bytes of the operating system, as text.
pub(super) fn random() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        ApiError::new(Kind::Internal, "The system's random number generator failed.").because(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Ids of sessions that are too many once there is one more.
async fn surplus(context: &Context, user: Option<&str>) -> LedgerResult<Vec<String>> {
    let Some(user) = user else { return Ok(Vec::new()) };
    let query = RecordQuery {
        conditions: vec![Condition::In("user_id", vec![user.to_owned()])],
        sort: Sort::CreatedAt,
        descending: true,
        limit: 1_000,
        offset: MOST - 1,
    };
    let page = context.directory().list(RecordKind::Session, &query).await?;
    Ok(page.records.into_iter().map(|stored| stored.id).collect())
}

/// Notes a sign-in as used. A second use of it is refused, on whatever replica.
///
/// # Errors
/// 400 for the second.
pub(super) async fn spend(context: &Context, what: &str, until: Micros) -> Result<(), Refusal> {
    let now = time::now();
    let spent = Session {
        hash: KeyHash::of(&format!("spent {what}")),
        user_id: None,
        master: None,
        by: SignedBy::Spent,
        seen_at: now,
        idle: 0,
        expires_at: until,
        sealed_id_token: None,
    };
    let change = records::insert(&spent, now, None)?;
    match context.directory().commit(&[change], &[]).await {
        Err(weir_core::ports::LedgerError::Conflict(_)) => {
            Err(Refusal::told(400, "auth_error", "state", "This sign-in was used already. Sign in again."))
        }
        done => Ok(done?),
    }
}

// --- in use ---

/// The session that a request came with, if there is one that has not ended.
pub(super) async fn current(services: &Services, headers: &HeaderMap) -> Option<(String, Arc<Principal>)> {
    let token = session::token(headers)?;
    let known = services.lookup.session(&KeyHash::of(token)).await.ok()??;
    let lives = known.session.as_ref().is_some_and(|session| !session.ended(time::now()));
    lives.then(|| (token.to_owned(), known))
}

/// Notes now and then that a session is in use, so that it does not end for being idle.
pub(crate) async fn note_use(services: &Services, headers: &HeaderMap) {
    let Some((token, known)) = current(services, headers).await else { return };
    let now = time::now();
    if !known.session.as_ref().is_some_and(|session| session.wants_noting(now)) {
        return;
    }
    if let Err(error) = touch(services, &KeyHash::of(&token).hex(), now).await {
        tracing::debug!("a session's use was not noted: {error}");
    }
}

async fn touch(services: &Services, id: &str, now: Micros) -> LedgerResult<()> {
    let directory = services.directory.as_ref();
    let Some(kept) = records::get::<Session>(directory, id).await? else { return Ok(()) };
    let used = Session { seen_at: now, ..kept.record.clone() };
    let change = records::update(&kept, &used, now, kept.updated_by.as_deref())?;
    directory.commit(&[change], &[]).await?;
    services.lookup.forget(RecordKind::Session, id).await;
    Ok(())
}

// --- ending ---

/// Ends the session of this token; no error where there is none.
pub(super) async fn end(context: &Context, token: &str) -> LedgerResult<()> {
    forget(context, vec![KeyHash::of(token).hex()]).await
}

/// Ends all sessions of a user; the master's for `None`.
pub(crate) async fn end_all(context: &Context, user: Option<&str>) -> LedgerResult<()> {
    let whose = match user {
        Some(user) => Condition::In("user_id", vec![user.to_owned()]),
        None => Condition::Empty("user_id"),
    };
    let all = context.all::<Session>(vec![whose]).await?;
    let open = all.iter().filter(|kept| kept.by != SignedBy::Spent);
    forget(context, open.map(|kept| kept.hash.hex()).collect()).await
}

async fn forget(context: &Context, ids: Vec<String>) -> LedgerResult<()> {
    let changes: Vec<Change> =
        ids.iter().map(|id| Change::Delete { kind: RecordKind::Session, id: id.clone() }).collect();
    if changes.is_empty() {
        return Ok(());
    }
    context.directory().commit(&changes, &[]).await?;
    for id in &ids {
        context.services.lookup.forget(RecordKind::Session, id).await;
    }
    Ok(())
}

// --- cookies ---

/// A cookie for the whole gateway that no script reads, and that other sites' pages do not make a browser send.
/// `age`: in seconds; zero takes it away.
pub(super) fn cookie(context: &Context, headers: &HeaderMap, name: &str, value: &str, age: i64) -> String {
    let config = (context.services.config)();
    let root = config.env.server_root();
    let path = if root.is_empty() { "/" } else { &root };
    let secure = if origin::is_secure(&config.env, headers) { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

/// The cookie of a session that has begun.
pub(super) fn cookie_of(context: &Context, headers: &HeaderMap, begun: &Begun) -> String {
    let age = begun.session.expires_at.since(time::now()) / 1_000_000;
    cookie(context, headers, session::COOKIE, &begun.token, age)
}

/// Adds cookies to an answer, which nobody may keep.
pub(crate) fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    let headers = response.headers_mut();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
