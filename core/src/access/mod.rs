//! Who may call what. The key is taken from a request, recognised, and held against the class of the route; data plane
//! and admin service use the same functions. What no rule allows is refused.
//!
//! `door.rs` recognises callers, `grants.rs` is role × route as one function. `session.rs` is how browsers present a
//! session, `origin.rs` how the admin service learns where a request came from.

mod door;
mod grants;
pub mod origin;
pub mod session;

pub use door::Door;
pub use grants::{Grant, RouteClass, RouteRule, admit, allowed, authorise, not_of_key};

use crate::domain::ids::KeyHash;
use crate::domain::key::{Caller, Principal, mask};
use crate::error::{ApiError, Kind};
use crate::ports::{KeyLookup, LedgerError};
use crate::time::{self, Micros};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The admin's key, compared in constant time.
#[derive(Clone, Debug)]
pub struct MasterKey {
    hash: KeyHash,
    /// Taken too, while one is changed for the other.
    previous: Option<KeyHash>,
    /// Nothing that is kept shall tell its hash.
    hidden: bool,
}

/// LiteLLM's name of the master key where its hash is not kept. Its own hash stands in entries.
const ALIAS: &str = "litellm_proxy_master_key";

/// Headers that may carry a key, first hit wins (LiteLLM's order).
pub static KEY_HEADERS: &[&str] = &[
    "x-litellm-api-key",
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
];

// --- MasterKey ---

impl MasterKey {
    pub fn new(key: &SecretString) -> Self {
        Self { hash: KeyHash::of(key.expose_secret()), previous: None, hidden: false }
    }

    /// The same, with another key that opens as much.
    #[must_use]
    pub fn or(self, previous: Option<&SecretString>) -> Self {
        Self { previous: previous.map(|key| KeyHash::of(key.expose_secret())), ..self }
    }

    /// The same, whose hash is kept nowhere (`disable_adding_master_key_hash_to_db`).
    #[must_use]
    pub fn hidden(self, hidden: bool) -> Self {
        Self { hidden, ..self }
    }

    /// The hash that master-key requests are booked under.
    pub fn hash(&self) -> KeyHash {
        self.booked(self.hash)
    }

    /// The same of the one that was presented: this one, or the one before.
    fn booked(&self, presented: KeyHash) -> KeyHash {
        if self.hidden { KeyHash::of(ALIAS) } else { presented }
    }

    /// Whether this is the hash of it, and not of the one before.
    pub fn is(&self, presented: &KeyHash) -> bool {
        self.hash.bytes().ct_eq(presented.bytes()).into()
    }

    /// What a session that stands for it remembers it by: another for each key.
    pub fn mark(&self) -> KeyHash {
        if self.hidden { KeyHash::of(&format!("session {}", self.hash.hex())) } else { self.hash }
    }

    /// Comparing hashes makes both sides equally long, so that not even the length leaks.
    fn matches(&self, presented: &KeyHash) -> bool {
        let same = |key: &KeyHash| key.bytes().ct_eq(presented.bytes());
        let previous = self.previous.as_ref().map_or_else(|| 0_u8.into(), same);
        (same(&self.hash) | previous).into()
    }
}

// --- the key in a request ---

/// The key as presented. `custom` is `litellm_key_header_name`, which wins over all others.
pub fn presented<'h>(headers: &'h HeaderMap, custom: Option<&str>) -> Result<&'h str, ApiError> {
    let names = custom.into_iter().chain(KEY_HEADERS.iter().copied());
    let found = names.filter_map(|name| headers.get(name).map(|value| (name, value))).next();
    let Some((name, value)) = found else {
        return Err(no_key());
    };
    let text = value.to_str().map_err(|_| malformed())?.trim();
    let key = strip_scheme(text);
    if name == "authorization" && key.len() == text.len() && !text.is_empty() {
        return Err(malformed());
    }
    if key.is_empty() { Err(no_key()) } else { Ok(key) }
}

/// `Bearer x`, `bearer x` and `Basic x` are all taken as `x`, as LiteLLM does.
fn strip_scheme(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, key))
            if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic") =>
        {
            key.trim()
        }
        None if text.eq_ignore_ascii_case("bearer") => "",
        _ => text,
    }
}

fn no_key() -> ApiError {
    ApiError::new(Kind::MissingKey, "Authentication Error, No api key passed in.")
}

fn malformed() -> ApiError {
    let message = "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.";
    ApiError::new(Kind::MissingKey, message)
}

// --- recognising it ---

/// Who presents this key. Without a master key everybody is the master, as with LiteLLM.
pub async fn identify(
    presented: Result<&str, ApiError>,
    master: Option<&MasterKey>,
    keys: &dyn KeyLookup,
) -> Result<Caller, ApiError> {
    let Some(master) = master else {
        return Ok(Caller::Master(KeyHash::of(presented.unwrap_or_default())));
    };
    let key = presented?;
    let hash = KeyHash::of(key);
    if master.matches(&hash) {
        return Ok(Caller::Master(master.booked(hash)));
    }
    if !key.starts_with("sk-") {
        return Err(not_virtual(key));
    }
    let known = keys.lookup(&hash).await.map_err(unavailable)?.ok_or_else(|| unknown(key, &hash))?;
    usable(&known, key, time::now())?;
    Ok(Caller::Key(known))
}

/// Blocked and expired keys are known but not let in. `key`: as it was presented.
///
/// # Errors
/// 401 for who is blocked, 400 for what has expired.
pub fn usable(known: &Principal, key: &str, now: Micros) -> Result<(), ApiError> {
    let record = &known.key;
    if record.blocked {
        let message = "Authentication Error, Key is blocked. Update via `/key/unblock` if you're admin.";
        return Err(ApiError::new(Kind::KeyBlocked, message));
    }
    if let Some(team) = known.team.as_ref().filter(|team| team.blocked) {
        let message = format!(
            "Authentication Error, Team={} is blocked. Update via `/team/unblock` if your admin.",
            team.id
        );
        return Err(ApiError::new(Kind::KeyBlocked, message));
    }
    if known.user.as_ref().is_some_and(|user| user.blocked) {
        let message = "Authentication Error, User is blocked. Update via `/user/update` if you're admin.";
        return Err(ApiError::new(Kind::KeyBlocked, message));
    }
    if !record.expired(now) {
        return Ok(());
    }
    let expiry = record.expires_at.unwrap_or_default().rfc3339();
    let message = format!(
        "Authentication Error - Expired Key. Key Expiry time {expiry} and current time {}",
        now.rfc3339()
    );
    Err(ApiError::new(Kind::KeyExpired, message).with_param(mask(key)))
}

fn not_virtual(key: &str) -> ApiError {
    // Never the whole text: it may be a real key of another system.
    let message = format!(
        "Authentication Error, LiteLLM Virtual Key expected. Received={}, expected to start with 'sk-'.",
        hint(key)
    );
    ApiError::new(Kind::MissingKey, message)
}

fn unknown(key: &str, hash: &KeyHash) -> ApiError {
    let message = format!(
        "Authentication Error, Invalid proxy server token passed. Received API Key = {}, Key Hash (Token) ={}. \
         Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
        hint(key),
        hash.hex()
    );
    ApiError::new(Kind::UnknownKey, message)
}

/// The first two and last four characters of a key long enough to keep its secret.
fn hint(key: &str) -> String {
    let masked = mask(key);
    if key.starts_with("sk-") { masked } else { masked.replacen("sk-", "", 1) }
}

fn unavailable(error: LedgerError) -> ApiError {
    let message = "The ledger cannot be reached and this key is not cached; try again in a moment.";
    ApiError::new(Kind::LedgerUnavailable, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_key_is_taken_from_every_header_that_clients_use() {
        for name in KEY_HEADERS {
            let found = presented(&headers(&[(name, "Bearer sk-a")]), None).unwrap().to_owned();
            assert_eq!(found, "sk-a", "{name}");
        }
        assert_eq!(presented(&headers(&[("x-mine", "sk-b")]), Some("x-mine")).unwrap(), "sk-b");
        assert_eq!(presented(&headers(&[("x-api-key", "sk-a")]), None).unwrap(), "sk-a");
    }

    #[test]
    fn an_authorization_without_bearer_is_malformed() {
        let error = presented(&headers(&[("authorization", "sk-1234")]), None).unwrap_err();
        assert!(error.message().contains("Malformed API Key"), "{error}");
        let error = presented(&headers(&[("authorization", "Bearer ")]), None).unwrap_err();
        assert!(error.message().contains("No api key"), "{error}");
    }

    #[test]
    fn p35_a_hidden_master_key_is_booked_under_a_name_and_remembered_by_a_mark() {
        let key = |text: &str| MasterKey::new(&SecretString::from(text)).hidden(true);
        let (one, other) = (key("sk-one"), key("sk-other"));
        assert_eq!((one.hash(), one.hash()), (KeyHash::of(ALIAS), other.hash()));
        assert_ne!(one.mark(), other.mark(), "a session ends with its key");
        assert_ne!(one.mark(), KeyHash::of("sk-one"));
        let plain = one.hidden(false);
        assert_eq!((plain.hash(), plain.mark()), (KeyHash::of("sk-one"), KeyHash::of("sk-one")));
    }

    #[test]
    fn p35_errors_do_not_repeat_the_key() {
        let key = "sk-this-is-the-whole-secret";
        for error in [unknown(key, &KeyHash::of(key)), not_virtual("this-is-the-whole-secret")] {
            assert!(!error.body().contains("whole"), "{error}");
        }
    }
}
