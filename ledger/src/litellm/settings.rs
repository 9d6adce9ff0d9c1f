//! Budgets and tags; models, credentials and settings that were made over the API, with what is secret in them sealed
//! anew.

use super::row::{Refused, Row, refused};
use super::source::Table;
use super::take::{Context, Part, Taken, extra, limits};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use weir_core::domain::records::{Budget, Credential, ModelRecord, RecordKind, Setting, Tag};
use weir_core::ports::SpendScope;

/// The section whose values are encrypted.
const ENVIRONMENT: &str = "environment_variables";

/// Sections of the configuration. LiteLLM keeps marks of its own beside them.
static SECTIONS: &[&str] = &["general_settings", "litellm_settings", "router_settings", ENVIRONMENT];

/// Whoever reads these needs nothing else: they stand in the environment or the configuration.
#[rustfmt::skip]
static NEVER_KEPT: &[&str] = &[
    "master_key", "database_url", "LITELLM_MASTER_KEY", "PROXY_MASTER_KEY", "DATABASE_URL", "LITELLM_SALT_KEY",
    "WEIR_SALT_KEY",
];

pub(super) static BUDGETS: Part = Part {
    table: Table {
        name: "LiteLLM_BudgetTable",
        key: &[("budget_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "budget_id", "max_budget", "soft_budget", "max_parallel_requests", "tpm_limit", "rpm_limit",
            "model_max_budget", "budget_duration", "budget_reset_at", "created_at", "created_by", "updated_at",
            "updated_by",
        ],
        beside: &[],
    },
    convert: budget,
    notes: &[],
};

pub(super) static TAGS: Part = Part {
    table: Table {
        name: "LiteLLM_TagTable",
        key: &[("tag_name", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "tag_name", "description", "models", "model_info", "spend", "budget_id", "created_at", "created_by",
            "updated_at",
        ],
        beside: &[],
    },
    convert: tag,
    notes: &[],
};

pub(super) static MODELS: Part = Part {
    table: Table {
        name: "LiteLLM_ProxyModelTable",
        key: &[("model_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "model_id", "model_name", "litellm_params", "model_info", "created_at", "created_by", "updated_at",
            "updated_by",
        ],
        beside: &[],
    },
    convert: model,
    notes: &[],
};

pub(super) static CREDENTIALS: Part = Part {
    table: Table {
        name: "LiteLLM_CredentialsTable",
        key: &[("credential_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "credential_id", "credential_name", "credential_values", "credential_info", "created_at", "created_by",
            "updated_at", "updated_by",
        ],
        beside: &[],
    },
    convert: credential,
    notes: &[],
};

pub(super) static SETTINGS: Part = Part {
    table: Table {
        name: "LiteLLM_Config",
        key: &[("param_name", "TEXT")],
        columns: &["param_name", "param_value"],
        beside: &[],
    },
    convert: setting,
    notes: &[],
};

fn budget(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let budget = Budget {
        id: row.required("budget_id")?,
        limits: limits(row)?,
        model_max_budget: row.object("model_max_budget"),
        extra: Map::new(),
    };
    Ok(vec![Taken::new(context, row, &budget)?])
}

fn tag(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let tag = Tag {
        name: row.required("tag_name")?,
        description: row.text("description"),
        models: row.texts("models"),
        budget_id: row.text("budget_id"),
        extra: extra(row, &["model_info"]),
    };
    Ok(vec![Taken::new(context, row, &tag)?.spending(SpendScope::Tag, row)?])
}

fn model(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let id = row.required("model_id")?;
    let mut info: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&row.object_text("model_info")).unwrap_or_default();
    // Said of every model that is kept.
    ["id", "db_model"].iter().for_each(|name| drop(info.remove(*name)));
    let team_id = info.get("team_id").and_then(|team| serde_json::from_str(team.get()).ok());
    let model = ModelRecord {
        name: row.required("model_name")?,
        sealed_params: sealed(context, row, "litellm_params", RecordKind::Model, &id)?,
        info: serde_json::to_string(&info).map_err(|error| refused(error.to_string()))?,
        team_id,
        id,
        ..ModelRecord::default()
    };
    Ok(vec![Taken::new(context, row, &model)?])
}

fn credential(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let name = row.required("credential_name")?;
    let credential = Credential {
        sealed_values: sealed(context, row, "credential_values", RecordKind::Credential, &name)?,
        info: row.object("credential_info"),
        name,
    };
    Ok(vec![Taken::new(context, row, &credential)?])
}

/// An object of secrets, opened and sealed again as one text.
fn sealed(
    context: &Context<'_>,
    row: &Row,
    column: &str,
    kind: RecordKind,
    id: &str,
) -> Result<String, Refused> {
    seal(context, &context.secrets.open_object(&row.object_text(column))?, kind, id)
}

fn seal(
    context: &Context<'_>,
    members: &BTreeMap<String, Box<RawValue>>,
    kind: RecordKind,
    id: &str,
) -> Result<String, Refused> {
    let text = serde_json::to_string(members).map_err(|error| refused(error.to_string()))?;
    context.secrets.seal(kind, id, &text)
}

/// A section is sealed as one text: there may be passwords in it.
fn setting(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let name = row.required("param_name")?;
    if !SECTIONS.contains(&name.as_str()) {
        return Err(refused("no section of the configuration"));
    }
    let text = row.object_text("param_value");
    let mut members = match name == ENVIRONMENT {
        true => context.secrets.open_object(&text)?,
        false => serde_json::from_str(&text).unwrap_or_default(),
    };
    members.retain(|name, _| !NEVER_KEPT.contains(&name.as_str()));
    let value = Value::from(seal(context, &members, RecordKind::Setting, &name)?);
    Ok(vec![Taken::new(context, row, &Setting { name, value, ..Setting::default() })?])
}
