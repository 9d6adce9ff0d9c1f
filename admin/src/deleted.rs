//! Records that are gone (`status=deleted` of lists), as the changes that were written down tell of them. Where
//! `store_audit_logs` is off nothing was written down, so nothing is found.

use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields::moment;
use crate::input::Params;
use serde_json::Value;
use weir_core::domain::records::Record;
use weir_core::ports::{AuditQuery, Condition, StoredAudit};

/// Deletions that are looked at for one answer, the newest ones.
const LOOKED_AT: u32 = 1_000;

/// A record as it was when it was deleted.
pub(crate) struct Deleted<T> {
    pub(crate) record: T,
    change: StoredAudit,
}

/// Whether a list is asked for what is gone.
///
/// # Errors
/// 400 for any other status: LiteLLM has none.
pub(crate) fn asked(params: &Params) -> Result<bool, Refusal> {
    match params.get("status") {
        None => Ok(false),
        Some("deleted") => Ok(true),
        Some(_) => Err(Refusal::wrapped(400, "Invalid status value. Currently only 'deleted' is supported.")),
    }
}

/// Those of the newest deletions that meet the conditions, the last one first. Who made them is not known any more.
pub(crate) async fn all<T: Record>(
    context: &Context,
    conditions: &[Condition],
) -> Result<Vec<Deleted<T>>, Refusal> {
    let query = AuditQuery {
        kind: Some(T::KIND),
        action: Some(String::from("deleted")),
        limit: LOOKED_AT,
        ..AuditQuery::default()
    };
    let found = context.directory().audit(&query).await?.entries;
    let gone = found.into_iter().filter_map(read::<T>);
    Ok(gone.filter(|gone| conditions.iter().all(|condition| meets(&gone.record, condition))).collect())
}

/// What an earlier version wrote down, and cannot be read any more, is left out.
fn read<T: Record>(change: StoredAudit) -> Option<Deleted<T>> {
    let mut before: Value = serde_json::from_str(&change.before).ok()?;
    // It is kept as text, and was opened to look for secrets.
    if let Some(metadata) = before.get_mut("metadata").filter(|metadata| metadata.is_object()) {
        *metadata = metadata.to_string().into();
    }
    Some(Deleted { record: serde_json::from_value(before).ok()?, change })
}

fn meets<T: Record>(record: &T, condition: &Condition) -> bool {
    let (id, columns) = (record.id(), record.columns());
    condition.holds(&|name| match T::KIND.row().columns.iter().position(|column| *column == name) {
        Some(at) => columns.get(at).cloned().flatten(),
        None => Some(id.clone()).filter(|_| name == "id"),
    })
}

impl<T> Deleted<T> {
    /// What is told beside a record's own fields. Of times only that of the deletion is known.
    pub(crate) fn beside(&self, name: &str) -> Option<Raw> {
        matches!(name, "created_at" | "updated_at" | "spend").then(|| raw(&Value::Null))
    }

    /// Who deleted it, and when.
    pub(crate) fn sign(&self, told: &mut Object) {
        told.0.push(("deleted_at", moment(self.change.at)));
        told.0.push(("deleted_by", raw(&self.change.changed_by)));
        told.0.push(("deleted_by_api_key", raw(&self.change.key_hash)));
    }
}
