//! Models and credentials that were made over the API instead of in the config file.

use super::{Record, RecordKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelRecord {
    pub id: String,
    /// The model group.
    pub name: String,
    /// `litellm_params`, a JSON object as text, sealed: it holds keys of providers.
    pub sealed_params: String,
    /// The same as far as they may be told, for those who look at what was changed.
    pub shown: Map<String, Value>,
    /// `model_info`, a JSON object as text.
    pub info: String,
    pub team_id: Option<String>,
    /// An entry of the config file with this id is changed by this one, and not replaced: only what stands here counts.
    pub overrides: bool,
    /// An admin of the team made it, and no proxy admin.
    pub by_team: bool,
    /// A proxy admin has given such a model a key: who pays for it says what it costs.
    pub lent: bool,
}

/// Credentials that models name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credential {
    pub name: String,
    /// A JSON object as text, sealed.
    pub sealed_values: String,
    pub info: Map<String, Value>,
}

impl Record for ModelRecord {
    const KIND: RecordKind = RecordKind::Model;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![Some(self.name.clone()), self.team_id.clone()]
    }
}

impl Record for Credential {
    const KIND: RecordKind = RecordKind::Credential;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        Vec::new()
    }
}
