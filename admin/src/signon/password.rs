//! Who signs in with a name and a password: the master, or a user who has one.

use super::State;
use super::sessions::Who;
use super::throttle::{OF_ACCOUNT, OF_ADDRESS};
use crate::context::Context;
use crate::error::Refusal;
use crate::users;
use axum::http::HeaderMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use weir_core::access::{MasterKey, origin};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::records::User;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::Condition;

/// Passwords that are hashed at one time: each takes 19 MiB and a core on purpose.
const AT_ONCE: usize = 2;

#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Whose name and password these are.
///
/// # Errors
/// 401 for nobody's, 429 after too many attempts, 403 for who may not use the UI.
pub(super) async fn check(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<Who, Refusal> {
    throttled(state, headers)?;
    state.throttle.attempt("account", name, OF_ACCOUNT)?;
    let Some(who) = found(context, state, name, password).await? else { return Err(wrong()) };
    state.throttle.forget("account", name);
    admitted(context, &who)?;
    Ok(who)
}

/// Counts an attempt against the address it comes from.
pub(super) fn throttled(state: &State, headers: &HeaderMap) -> Result<(), ApiError> {
    let address = origin::address(headers, origin::CLIENT).map(|ip| ip.to_string()).unwrap_or_default();
    state.throttle.attempt("address", &address, OF_ADDRESS)
}

fn wrong() -> Refusal {
    let message = "Invalid credentials used to access UI. Check the user name and the password.";
    Refusal::told(401, "auth_error", "invalid_credentials", message)
}

async fn found(context: &Context, state: &State, name: &str, password: &str) -> Result<Option<Who>, Refusal> {
    if let Some(hash) = is_master(context, name, password) {
        return Ok(Some(Who::Master(hash)));
    }
    let user = user(context, name).await?;
    let kept = user.as_ref().and_then(|user| user.password_hash.clone());
    let turn = state.hashing.0.acquire().await;
    // An account that is not there, or has no password, takes as long as a wrong password.
    let fits = users::password_fits(kept, password.to_owned()).await;
    drop(turn);
    Ok(user.filter(|_| fits).map(|user| Who::User(Box::new(user))))
}

/// `UI_USERNAME` (`admin`) with `UI_PASSWORD`, or any name with the master key itself. Hashes are compared, so that how
/// long it takes says nothing of the text.
fn is_master(context: &Context, name: &str, password: &str) -> Option<KeyHash> {
    let master = (context.services.master)();
    let given = KeyHash::of(password);
    let is_key = master.as_ref().is_some_and(|master| master.is(&given));
    let config = (context.services.config)();
    let named = KeyHash::of(name) == KeyHash::of(config.env.filled("UI_USERNAME").unwrap_or("admin"));
    let own = config.env.filled("UI_PASSWORD").map(KeyHash::of);
    if is_key || named && own == Some(given) {
        // Without a master key everybody is the master anyway.
        return Some(master.as_ref().map_or(given, MasterKey::mark));
    }
    None
}

/// By id, or by e-mail where only one has it.
async fn user(context: &Context, name: &str) -> Result<Option<User>, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.contains('\0') {
        return Ok(None);
    }
    if let Some(kept) = context.get::<User>(name).await? {
        return Ok(Some(kept.record));
    }
    let mut spellings = vec![name.to_owned(), name.to_lowercase()];
    spellings.dedup();
    let mut all = context.all::<User>(vec![Condition::In("email", spellings)]).await?;
    Ok(if all.len() == 1 { all.pop().map(|kept| kept.record) } else { None })
}

/// Whether whoever is known may use the UI.
///
/// # Errors
/// 403.
pub(super) fn admitted(context: &Context, who: &Who) -> Result<(), Refusal> {
    if matches!(who, Who::User(user) if user.blocked) {
        return Err(ApiError::new(Kind::KeyBlocked, "This user is blocked.").with_status(403).into());
    }
    if (context.services.config)().general.ui_admins_only && !who.is_admin() {
        let message = "Only proxy admins may use the UI here (ui_access_mode: admin_only).";
        return Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into());
    }
    Ok(())
}
