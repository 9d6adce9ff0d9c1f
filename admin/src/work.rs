//! Changes that belong together: made whole or not at all, audited, and in force here when the answer is sent.

use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use serde_json::{Map, Value};
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Record, RecordKind};
use weir_core::ports::records;
use weir_core::ports::{AuditEntry, Change, ResetOf, SpendScope};
use weir_core::time::{self, Micros};

pub(crate) struct Work<'c> {
    context: &'c Context,
    pub(crate) now: Micros,
    changes: Vec<Change>,
    audit: Vec<AuditEntry>,
    touched: Vec<(RecordKind, String)>,
}

/// Members whose values are secret, or of no use to a reader.
static SECRET: &[&str] = &["password_hash", "sealed_params", "sealed_values", "callback_vars", "logging"];

const REDACTED: &str = "REDACTED";

impl<'c> Work<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        Self { context, now: time::now(), changes: Vec::new(), audit: Vec::new(), touched: Vec::new() }
    }

    /// What is made later in the same work is younger: lists keep the order.
    pub(crate) fn insert<T: Record>(&mut self, record: &T) -> Result<(), Refusal> {
        let made = i64::try_from(self.changes.len()).unwrap_or_default();
        self.changes.push(records::insert(record, Micros(self.now.0 + made), self.context.by())?);
        self.note::<T>("created", &record.id(), None, Some(record));
        Ok(())
    }

    /// `action`: `updated`, or a narrower word.
    pub(crate) fn update<T: Record>(
        &mut self,
        read: &Kept<T>,
        record: &T,
        action: &'static str,
    ) -> Result<(), Refusal> {
        self.changes.push(records::update(read, record, self.now, self.context.by())?);
        self.note(action, &record.id(), Some(&read.record), Some(record));
        Ok(())
    }

    /// A change that time brings: nobody asked for it, and it comes again and again, so it is not audited.
    pub(crate) fn goes_on<T: Record>(&mut self, read: &Kept<T>, record: &T) -> Result<(), Refusal> {
        self.changes.push(records::update(read, record, self.now, read.updated_by.as_deref())?);
        self.touched.push((T::KIND, record.id()));
        Ok(())
    }

    /// Counts from zero again.
    pub(crate) fn reset(&mut self, scope: SpendScope, of: ResetOf) {
        self.changes.push(Change::Reset { scope, of, at: self.now });
    }

    pub(crate) fn delete<T: Record>(&mut self, record: &T) {
        self.changes.push(records::delete(record));
        self.note("deleted", &record.id(), Some(record), None);
    }

    /// What was spent under one id counts on under the other.
    pub(crate) fn rename(&mut self, kind: RecordKind, from: &str, to: &str) {
        self.changes.push(Change::Rename { kind, from: from.to_owned(), to: to.to_owned() });
    }

    /// What is told as spent under this id from now on; `None`: under all of the scope.
    pub(crate) fn spent(&mut self, scope: SpendScope, id: Option<String>, amount: NanoUsd) {
        let kind = match scope {
            SpendScope::Team => RecordKind::Team,
            SpendScope::User => RecordKind::User,
            SpendScope::Member => RecordKind::Member,
            SpendScope::Customer => RecordKind::Customer,
            _ => RecordKind::Key,
        };
        let after = Object(vec![("spend", amount.json())]);
        let told = raw(&after).get().to_owned();
        self.audit(kind, "spend_set", id.as_deref().unwrap_or("*"), (String::new(), told));
        self.changes.push(Change::Spent { scope, id, amount });
    }

    /// All of it, or an error and nothing. `Conflict` where something was changed since it was read.
    pub(crate) async fn commit(self) -> Result<(), Refusal> {
        let audit = if self.context.services.audited() { self.audit.as_slice() } else { &[] };
        let done = self.context.directory().commit(&self.changes, audit).await;
        if done.is_ok() {
            self.context.services.tell(audit);
        }
        // Also when it failed: what was not changed is only read again.
        for (kind, id) in &self.touched {
            self.context.services.lookup.forget(*kind, id).await;
        }
        Ok(done?)
    }

    fn note<T: Record>(&mut self, action: &'static str, id: &str, before: Option<&T>, after: Option<&T>) {
        self.touched.push((T::KIND, id.to_owned()));
        self.audit(T::KIND, action, id, (told(before), told(after)));
    }

    fn audit(&mut self, kind: RecordKind, action: &'static str, id: &str, (before, after): (String, String)) {
        self.audit.push(AuditEntry {
            id: new_entry_id().to_string(),
            at: self.now,
            changed_by: self.context.by().unwrap_or_default().to_owned(),
            key_hash: self.context.caller.hash().map(|hash| hash.hex()).unwrap_or_default(),
            action,
            kind,
            object_id: id.to_owned(),
            before,
            after,
        });
    }
}

/// The record as an audit entry may hold it.
fn told<T: Record>(record: Option<&T>) -> String {
    let Some(record) = record else { return String::new() };
    let mut told = serde_json::to_value(record).unwrap_or_default();
    redact(&mut told);
    told.to_string()
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => redact_members(members),
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn redact_members(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        let lower = name.to_ascii_lowercase();
        let secret = SECRET.contains(&name.as_str())
            || ["secret", "password", "api_key", "token"].iter().any(|word| lower.contains(word));
        if secret && !value.is_null() && !value.is_number() {
            *value = REDACTED.into();
            continue;
        }
        // Objects that are kept as text.
        if let Some(Ok(mut inside)) =
            value.as_str().filter(|text| text.starts_with('{')).map(serde_json::from_str)
        {
            redact(&mut inside);
            *value = inside;
            continue;
        }
        redact(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::records::User;

    #[test]
    fn p35_what_is_audited_holds_no_secret() {
        let user = User {
            password_hash: Some("$argon2id$x".into()),
            metadata: r#"{"a":1,"slack":{"bot_token":"xoxb"},"logging":[{"callback_vars":{"k":"v"}}]}"#
                .into(),
            ..User::default()
        };
        let told = told(Some(&user));
        for secret in ["argon2id", "xoxb", "\"v\""] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.contains(r#""a":1"#), "{told}");
    }
}
