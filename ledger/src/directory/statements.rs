//! SQL over records. Names come from the table of kinds; whatever a caller says is bound.

use super::{Any, AnyArguments, Query};
use weir_core::domain::records::{RecordKind, due};
use weir_core::ports::{Condition, LedgerError, LedgerResult, RecordQuery, Sort, SpendScope};

pub(super) const NOTE_CHANGE: &str = "INSERT INTO record_change (at, kind, id) VALUES ($1, $2, $3)";

/// Columns that every kind has, after its own.
static COMMON: &[&str] = &["document", "version", "created_at", "created_by", "updated_at", "updated_by"];

/// What lists of every kind are searched by, beside its own columns.
static ANY_HAS: &[&str] = &["id", "created_by"];

/// A `WHERE` and its values.
pub(super) struct Filter {
    text: String,
    values: Vec<String>,
}

impl Filter {
    pub(super) fn bind(&self, query: Query<'static, Any, AnyArguments>) -> Query<'static, Any, AnyArguments> {
        self.values.iter().fold(query, |query, value| query.bind(value.clone()))
    }
}

fn columns(kind: RecordKind) -> impl Iterator<Item = &'static str> {
    kind.row().columns.iter().chain(COMMON).copied()
}

fn selected(kind: RecordKind) -> String {
    let names: Vec<String> =
        std::iter::once("id").chain(columns(kind)).map(|name| format!("r.{name}")).collect();
    names.join(", ")
}

pub(super) fn find(kind: RecordKind, ids: usize) -> String {
    format!("SELECT {} FROM {} r WHERE r.id IN ({})", selected(kind), kind.row().table, places(1, ids))
}

/// `id` is the last value, as in [`update`].
pub(super) fn insert(kind: RecordKind) -> String {
    let names: Vec<&str> = columns(kind).chain(["id"]).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", kind.row().table, names.join(", "), places(1, names.len()))
}

/// Where the version is the last value.
pub(super) fn update(kind: RecordKind) -> String {
    let set: Vec<String> =
        columns(kind).enumerate().map(|(at, name)| format!("{name} = ${}", at + 1)).collect();
    let next = set.len() + 1;
    format!(
        "UPDATE {} SET {} WHERE id = ${next} AND version = ${}",
        kind.row().table,
        set.join(", "),
        next + 1
    )
}

pub(super) fn delete(kind: RecordKind) -> String {
    format!("DELETE FROM {} WHERE id = $1", kind.row().table)
}

pub(super) fn count(kind: RecordKind, filter: &Filter) -> String {
    format!("SELECT CAST(COUNT(*) AS BIGINT) AS total FROM {} r{}", kind.row().table, filter.text)
}

/// Limit and offset are the last values.
pub(super) fn list(kind: RecordKind, filter: &Filter, query: &RecordQuery) -> LedgerResult<String> {
    let direction = if query.descending { "DESC" } else { "ASC" };
    let join = match query.sort {
        Sort::Spend => format!(" LEFT JOIN spent s ON s.scope = '{}' AND s.id = r.id", scope(kind)?),
        _ => String::new(),
    };
    let by = match query.sort {
        Sort::CreatedAt => String::from("r.created_at"),
        Sort::UpdatedAt => String::from("r.updated_at"),
        Sort::Id => String::from("r.id"),
        Sort::Column(name) => format!("COALESCE(r.{}, '')", known(kind, name)?),
        Sort::Spend => String::from("COALESCE(s.total - s.base, 0)"),
    };
    let values = filter.values.len();
    Ok(format!(
        "SELECT {} FROM {} r{join}{} ORDER BY {by} {direction}, r.id {direction} LIMIT ${} OFFSET ${}",
        selected(kind),
        kind.row().table,
        filter.text,
        values + 1,
        values + 2
    ))
}

/// The scope under which spend of this kind is summed.
fn scope(kind: RecordKind) -> LedgerResult<&'static str> {
    let scope = match kind {
        RecordKind::Key => SpendScope::Key,
        RecordKind::Team => SpendScope::Team,
        RecordKind::User => SpendScope::User,
        RecordKind::Organization => SpendScope::Organization,
        RecordKind::Customer => SpendScope::Customer,
        RecordKind::Tag => SpendScope::Tag,
        RecordKind::Member => SpendScope::Member,
        _ => return Err(LedgerError::Broken(format!("{} has no spend", kind.row().table))),
    };
    Ok(scope.as_str())
}

/// Whose records have budgets of this scope.
pub(super) fn table_of(scope: SpendScope) -> LedgerResult<&'static str> {
    let kinds = [
        RecordKind::Key,
        RecordKind::Team,
        RecordKind::User,
        RecordKind::Organization,
        RecordKind::Customer,
        RecordKind::Tag,
        RecordKind::Member,
    ];
    let found = kinds.into_iter().find(|kind| self::scope(*kind).is_ok_and(|name| name == scope.as_str()));
    let found = found.ok_or_else(|| LedgerError::Broken(format!("{} has no records", scope.as_str())))?;
    Ok(found.row().table)
}

pub(super) fn filter(kind: RecordKind, conditions: &[Condition]) -> LedgerResult<Filter> {
    let mut filter = Filter { text: String::new(), values: Vec::new() };
    for condition in conditions {
        let test = test(kind, condition, &mut filter.values)?;
        filter.text.push_str(if filter.text.is_empty() { " WHERE " } else { " AND " });
        filter.text.push_str(&test);
    }
    Ok(filter)
}

/// One condition; what it compares with comes after the values that are there.
fn test(kind: RecordKind, condition: &Condition, values: &mut Vec<String>) -> LedgerResult<String> {
    let next = values.len() + 1;
    let like = |name: &'static str| {
        known(kind, name).map(|name| format!("LOWER(r.{name}) LIKE ${next} ESCAPE '\\'"))
    };
    Ok(match condition {
        Condition::In(_, wanted) if wanted.is_empty() => String::from("1 = 0"),
        Condition::In(name, wanted) => {
            values.extend(wanted.iter().cloned());
            format!("r.{} IN ({})", known(kind, name)?, places(next, wanted.len()))
        }
        Condition::Contains(name, text) => {
            values.push(format!("%{}%", literal(text)));
            like(name)?
        }
        Condition::Begins(name, text) => {
            values.push(format!("{}%", literal(text)));
            like(name)?
        }
        Condition::Due(name, by) => {
            values.extend(due(Some(*by)));
            format!("r.{} <= ${next}", known(kind, name)?)
        }
        Condition::Empty(name) => format!("r.{} IS NULL", known(kind, name)?),
        Condition::Any(several) if several.is_empty() => String::from("1 = 0"),
        Condition::Any(several) => joined(kind, several, " OR ", values)?,
        Condition::All(several) if several.is_empty() => String::from("1 = 1"),
        Condition::All(several) => joined(kind, several, " AND ", values)?,
    })
}

fn joined(
    kind: RecordKind,
    several: &[Condition],
    by: &str,
    values: &mut Vec<String>,
) -> LedgerResult<String> {
    let tests: Vec<String> =
        several.iter().map(|condition| test(kind, condition, values)).collect::<LedgerResult<_>>()?;
    Ok(format!("({})", tests.join(by)))
}

/// Only a name from the table may become SQL.
fn known(kind: RecordKind, name: &'static str) -> LedgerResult<&'static str> {
    let here = ANY_HAS.contains(&name) || kind.row().columns.contains(&name);
    here.then_some(name).ok_or_else(|| LedgerError::Broken(format!("{} has no {name}", kind.row().table)))
}

/// As a pattern that means nothing but itself.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn places(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
