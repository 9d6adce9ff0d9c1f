//! Models as the ledger keeps them: parameters sealed, since they hold keys of providers.

use super::team;
use crate::context::Context;
use crate::error::Refusal;
use crate::work::Work;
use serde_json::{Map, Value};
use std::sync::Arc;
use weir_core::SecretString;
use weir_core::config::{AddedModel, Additions, Config, ModelEntry};
use weir_core::domain::records::{Kept, ModelRecord};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::control::MODEL_PARAMS;

/// Facts that a record says of itself, whatever is sent.
static OURS: &[&str] = &["id", "db_model", "made_by_team"];

const PUBLIC_NAME: &str = "team_public_model_name";

/// A stored deployment, opened.
pub(super) struct Stored {
    pub(super) record: ModelRecord,
    pub(super) params: Map<String, Value>,
    pub(super) info: Map<String, Value>,
}

/// What was sent of a model: only members that are there change anything, null takes one away.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) name: Option<String>,
    pub(super) params: Map<String, Value>,
    pub(super) info: Map<String, Value>,
}

/// Where a change begins: with what the ledger has, or with nothing over an entry of the files.
pub(super) struct Found {
    pub(super) kept: Option<Kept<ModelRecord>>,
    pub(super) stored: Stored,
}

impl Stored {
    pub(super) fn new(id: &str, name: &str, overrides: bool) -> Self {
        let record =
            ModelRecord { id: id.to_owned(), name: name.to_owned(), overrides, ..ModelRecord::default() };
        Self { record, params: Map::new(), info: Map::new() }
    }

    pub(super) fn open(context: &Context, record: ModelRecord) -> Result<Self, Refusal> {
        let opened = context.services.control.open(MODEL_PARAMS, &record.sealed_params);
        let params = opened.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(sealed_elsewhere)?;
        let info = serde_json::from_str(&record.info).unwrap_or_default();
        Ok(Self { record, params, info })
    }

    pub(super) fn apply(&mut self, sent: Sent) {
        merge(&mut self.params, sent.params);
        merge(&mut self.info, sent.info);
        for name in OURS {
            self.info.remove(*name);
        }
        self.record.team_id = team::named(&self.info).map(str::to_owned);
        if let Some(name) = sent.name {
            self.rename(name);
        }
    }

    /// What a team calls its own may be what others call theirs: it has another name beside that, as with LiteLLM.
    fn rename(&mut self, name: String) {
        let Some(team) = self.record.team_id.as_ref().filter(|_| !self.record.overrides) else {
            self.record.name = name;
            return;
        };
        self.record.name = format!("model_name_{team}_{}", self.record.id);
        let public = self.info.entry(PUBLIC_NAME).or_insert_with(|| name.clone().into());
        // The name that it has beside comes back from whoever has read it.
        if name != self.record.name {
            *public = name.into();
        }
    }

    /// The record as it is kept.
    pub(super) fn close(&self, context: &Context) -> Result<ModelRecord, Refusal> {
        let sealed = context.services.control.seal(MODEL_PARAMS, &json(&self.params));
        let sealed_params = sealed.ok_or_else(|| ApiError::new(Kind::Internal, "This cannot be sealed."))?;
        let shown = shown(&self.params);
        Ok(ModelRecord { sealed_params, shown, info: json(&self.info), ..self.record.clone() })
    }

    /// The deployment as it would be in force.
    pub(super) fn added(&self) -> AddedModel {
        AddedModel {
            id: self.record.id.clone(),
            name: self.record.name.clone(),
            params: SecretString::from(json(&self.params)),
            info: json(&self.info),
            overrides: self.record.overrides,
            by_team: self.record.by_team,
        }
    }

    /// Refuses what could not be put in force.
    pub(super) fn try_out(&self, context: &Context) -> Result<(), Refusal> {
        let added = Additions { models: vec![self.added()], ..Additions::default() };
        context.services.control.try_out(&added).map_err(|why| {
            let message = format!("This model cannot be used: {why}");
            ApiError::new(Kind::BadRequest, message).into()
        })
    }
}

fn json(map: &Map<String, Value>) -> String {
    Value::Object(map.clone()).to_string()
}

fn merge(into: &mut Map<String, Value>, sent: Map<String, Value>) {
    for (name, value) in sent {
        match value {
            Value::Null => drop(into.remove(&name)),
            value => drop(into.insert(name, value)),
        }
    }
}

fn sealed_elsewhere() -> Refusal {
    let message = "What is stored cannot be decrypted: the salt key or the master key has changed. Delete it and make \
                   it again.";
    ApiError::new(Kind::BadRequest, message).into()
}

// --- what may be told ---

/// Parameters that are told although they are text; all others may be secrets.
#[rustfmt::skip]
static TOLD: &[&str] = &[
    "model", "api_base", "base_url", "api_version", "custom_llm_provider", "litellm_credential_name",
    "aws_region_name", "vertex_project", "vertex_location",
];

/// The parameters without what may be secret.
pub(super) fn shown(params: &Map<String, Value>) -> Map<String, Value> {
    let masked = |(name, value): (&String, &Value)| {
        let told = TOLD.contains(&name.as_str()) || !holds_text(value);
        (name.clone(), if told { value.clone() } else { Value::from("*****") })
    };
    params.iter().map(masked).collect()
}

fn holds_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().any(holds_text),
        Value::Object(members) => members.values().any(holds_text),
        _ => false,
    }
}

// --- the ledger ---

/// The deployment with this id, whoever wrote it; `None` where there is none.
pub(super) async fn find(context: &Context, id: &str) -> Result<Option<Found>, Refusal> {
    if let Some(kept) = context.get::<ModelRecord>(id).await? {
        let stored = Stored::open(context, kept.record.clone())?;
        return Ok(Some(Found { kept: Some(kept), stored }));
    }
    let config: Arc<Config> = (context.services.config)();
    let written = config.models.iter().find(|entry| entry.id == id && !entry.from_ledger);
    Ok(written.map(|entry| Found { kept: None, stored: over(entry) }))
}

/// A change of an entry of the files that says nothing yet.
pub(super) fn over(entry: &ModelEntry) -> Stored {
    Stored::new(&entry.id, "", true)
}

/// Notes the change in `work`.
pub(super) fn write(context: &Context, work: &mut Work<'_>, found: &Found) -> Result<ModelRecord, Refusal> {
    let record = found.stored.close(context)?;
    match &found.kept {
        Some(kept) => work.update(kept, &record, "updated")?,
        None => work.insert(&record)?,
    }
    Ok(record)
}

/// Refuses where models of the ledger would not be used.
pub(super) fn models_writable(context: &Context) -> Result<(), Refusal> {
    writable(context)?;
    if (context.services.config)().general.uses_kept("models") {
        return Ok(());
    }
    let message = "{'error': \"general_settings.supported_db_objects leaves out models: they stand in the files alone.\"}";
    Err(Refusal::told(400, "bad_request_error", "None", message))
}

/// Refuses where the operator keeps everything to the files.
pub(crate) fn writable(context: &Context) -> Result<(), Refusal> {
    if (context.services.config)().general.store_model_in_db {
        return Ok(());
    }
    let message = "{'error': \"Set `'STORE_MODEL_IN_DB='True'` in your env to enable this feature.\"}";
    Err(Refusal::told(500, "auth_error", "None", message))
}
