//! The small kinds.

use super::{Record, RecordKind};
use crate::domain::ids::KeyHash;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A word that spend is sorted by, with what is said about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tag {
    pub name: String,
    pub description: Option<String>,
    pub models: Vec<String>,
    pub budget_id: Option<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The old text of a key that was changed for a new one, as long as it may still be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormerKey {
    pub hash: KeyHash,
    pub current: KeyHash,
    pub until: Micros,
    /// The new text, sealed, where nobody was there to be told it: whoever has the old one may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// A section of the configuration that was changed over the API: `general_settings`, `litellm_settings` …
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    pub name: String,
    /// Only what was changed, a JSON object as text, sealed.
    pub value: Value,
    /// The same as far as it may be told, for those who look at what was changed.
    pub shown: Map<String, Value>,
}

/// A link by which a user sets a first password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub user_id: String,
    pub expires_at: Micros,
    pub accepted_at: Option<Micros>,
}

impl Record for Tag {
    const KIND: RecordKind = RecordKind::Tag;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![self.budget_id.clone()]
    }
}

impl Record for FormerKey {
    const KIND: RecordKind = RecordKind::FormerKey;

    fn id(&self) -> String {
        self.hash.hex()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![Some(self.current.hex())]
    }
}

impl Record for Setting {
    const KIND: RecordKind = RecordKind::Setting;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        Vec::new()
    }
}

impl Record for Invitation {
    const KIND: RecordKind = RecordKind::Invitation;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![Some(self.user_id.clone())]
    }
}
