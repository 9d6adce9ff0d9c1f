//! Budgets and tags; models, credentials and settings that were made over the API, with what is secret in them sealed
//! anew.

use super::row::{Refused, Row, refused};
use super::source::Table;
use super::take::{Context, Part, Taken, extra, limits};
use serde_json::{Map, Value};
use weir_core::domain::records::{Budget, Credential, ModelRecord, RecordKind, Setting, Tag};
use weir_core::ports::SpendScope;

/// The setting whose values are all secret. Each is sealed by itself.
const ENVIRONMENT: &str = "environment_variables";

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
    let team_id = row.object("model_info").get("team_id").and_then(|team| team.as_str().map(str::to_owned));
    let model = ModelRecord {
        name: row.required("model_name")?,
        sealed_params: sealed(context, row, "litellm_params", RecordKind::Model, &id)?,
        info: row.object_text("model_info"),
        team_id,
        overrides: false,
        id,
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
    let open = context.secrets.open_object(&row.object_text(column))?;
    let text = serde_json::to_string(&open).map_err(|error| refused(error.to_string()))?;
    context.secrets.seal(kind, id, &text)
}

fn setting(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let name = row.required("param_name")?;
    let value = match name.as_str() {
        ENVIRONMENT => Value::Object(environment(context, row)?),
        _ => row.value("param_value").unwrap_or(Value::Null),
    };
    Ok(vec![Taken::new(context, row, &Setting { name, value })?])
}

fn environment(context: &Context<'_>, row: &Row) -> Result<Map<String, Value>, Refused> {
    let mut sealed = Map::new();
    for (name, value) in context.secrets.open_object(&row.object_text("param_value"))? {
        let clear = serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned());
        sealed.insert(name, Value::from(context.secrets.seal(RecordKind::Setting, ENVIRONMENT, &clear)?));
    }
    Ok(sealed)
}
