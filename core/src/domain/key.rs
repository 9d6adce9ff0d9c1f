//! Virtual keys and who is calling.

use super::ids::KeyHash;
use super::money::NanoUsd;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One virtual key as the ledger keeps it. The key text itself is never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub hash: KeyHash,
    /// What lists show instead of the key: `sk-...` and its last four characters.
    pub masked: String,
    pub alias: Option<String>,
    pub user_id: Option<String>,
    pub team_id: Option<String>,
    /// Model groups, wildcards or access groups this key may use. Empty: all.
    pub models: Vec<String>,
    /// A JSON object as text, as the admin sent it.
    pub metadata: String,
    pub max_budget: Option<NanoUsd>,
    pub expires_at: Option<Micros>,
    pub blocked: bool,
    pub created_at: Micros,
    pub created_by: Option<String>,
}

impl KeyRecord {
    pub fn expired(&self, now: Micros) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Who sent a request. Set by the auth filter; `Anonymous` before that.
#[derive(Clone, Debug, Default)]
pub enum Caller {
    #[default]
    Anonymous,
    /// The master key, or anybody where no master key is configured (as LiteLLM does). Carries the hash that
    /// entries are booked under.
    Master(KeyHash),
    Key(Arc<KeyRecord>),
}

impl Caller {
    /// The hash an entry is booked under; `None` for a caller that was refused before a key was recognised.
    pub fn hash(&self) -> Option<KeyHash> {
        match self {
            Caller::Anonymous => None,
            Caller::Master(hash) => Some(*hash),
            Caller::Key(key) => Some(key.hash),
        }
    }

    pub fn key(&self) -> Option<&KeyRecord> {
        match self {
            Caller::Key(key) => Some(key),
            _ => None,
        }
    }

    pub fn user_id(&self) -> Option<&str> {
        match self {
            Caller::Anonymous => None,
            Caller::Master(_) => Some(MASTER_USER),
            Caller::Key(key) => key.user_id.as_deref(),
        }
    }
}

/// The user LiteLLM books master-key requests under.
pub const MASTER_USER: &str = "default_user_id";

/// `sk-...` and the last four characters, the form LiteLLM shows for a key. Short keys show nothing of themselves.
pub fn mask(key: &str) -> String {
    let tail: Vec<char> = key.chars().rev().take(4).collect();
    if key.chars().count() < 12 {
        return String::from("sk-...");
    }
    format!("sk-...{}", tail.into_iter().rev().collect::<String>())
}
