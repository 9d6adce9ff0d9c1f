//! A row of LiteLLM's, column by column, as the JSON that Postgres wrote: numbers stay text, so that no amount is ever a
//! float, and objects that nobody looks into stay what they were.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::LedgerResult;
use weir_core::time::Micros;

use crate::store::broken;

pub(super) struct Row(BTreeMap<String, Box<RawValue>>);

/// Why something is not taken, for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

pub(super) fn refused(why: impl Into<String>) -> Refused {
    Refused(why.into())
}

impl Row {
    /// A JSON object.
    pub(super) fn parse(text: &str) -> LedgerResult<Self> {
        serde_json::from_str(text).map(Self).map_err(broken)
    }

    /// The column's JSON; `None`: it is null, or this database has no such column.
    pub(super) fn raw(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(|value| value.get()).filter(|text| *text != "null")
    }

    /// All columns, for telling only: numbers may lose digits.
    pub(super) fn whole(&self) -> Option<Value> {
        serde_json::to_value(&self.0).ok()
    }

    /// A text that is not empty.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        serde_json::from_str(self.raw(column)?).ok().filter(|text: &String| !text.is_empty())
    }

    /// # Errors
    /// There is none.
    pub(super) fn required(&self, column: &str) -> Result<String, Refused> {
        self.text(column).ok_or_else(|| refused(format!("{column} is empty")))
    }

    /// The column as a page of rows ends with it: texts without quotes, everything else as it is.
    pub(super) fn place(&self, column: &str) -> String {
        let raw = self.raw(column).unwrap_or_default();
        serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())
    }

    /// Texts of a list; whatever else is in it is left out.
    pub(super) fn texts(&self, column: &str) -> Vec<String> {
        let Some(Value::Array(list)) = self.value(column) else { return Vec::new() };
        list.into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn flag(&self, column: &str) -> bool {
        self.raw(column) == Some("true")
    }

    /// # Errors
    /// It is no integer.
    pub(super) fn number(&self, column: &str) -> Result<Option<i64>, Refused> {
        let Some(raw) = self.raw(column) else { return Ok(None) };
        raw.parse().map(Some).map_err(|_| refused(format!("{column} is no integer")))
    }

    /// Dollars, rounded to the nano-dollar.
    ///
    /// # Errors
    /// It is infinite, no number, or more than fits.
    pub(super) fn money(&self, column: &str) -> Result<Option<NanoUsd>, Refused> {
        let Some(raw) = self.raw(column) else { return Ok(None) };
        NanoUsd::parse(raw).map(Some).map_err(|_| refused(format!("{column} is no amount of money")))
    }

    /// A timestamp without a zone, UTC.
    ///
    /// # Errors
    /// It is infinite, or before or after all times.
    pub(super) fn moment(&self, column: &str) -> Result<Option<Micros>, Refused> {
        let Some(text) = self.text(column) else { return Ok(None) };
        moment(&text).map(Some).ok_or_else(|| refused(format!("{column} is no time")))
    }

    /// Any JSON. A text that holds an object or a list is that: some clients store their JSON as text.
    pub(super) fn value(&self, column: &str) -> Option<Value> {
        serde_json::from_str(&self.unwrapped(column)?).ok()
    }

    /// The members of an object; none where it is something else.
    pub(super) fn object(&self, column: &str) -> Map<String, Value> {
        match self.value(column) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }

    /// An object as text, unchanged; `{}` where it is something else.
    pub(super) fn object_text(&self, column: &str) -> String {
        let text = self.unwrapped(column).filter(|text| text.starts_with('{'));
        text.unwrap_or_else(|| String::from("{}"))
    }

    fn unwrapped(&self, column: &str) -> Option<String> {
        let raw = self.raw(column)?;
        let inner: Option<String> = serde_json::from_str(raw).ok();
        let inner = inner.filter(|text| serde_json::from_str::<&RawValue>(text).is_ok());
        Some(inner.filter(|text| text.starts_with(['{', '['])).unwrap_or_else(|| raw.to_owned()))
    }
}

fn moment(text: &str) -> Option<Micros> {
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let utc = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Micros(utc.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let text = r#"{"spend":9.750000000000001e-05,"bad":"NaN","huge":1e300,"at":"2026-11-23T11:56:46.39","never":"infinity",
            "none":null,"list":["a",1,"b"],"meta":{"n":18446744073709551616.10},"wrapped":"{\"a\":1}","text":"[ü"}"#;
        Row::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_read_from_their_text() {
        let row = row();
        assert_eq!(row.money("spend"), Ok(Some(NanoUsd(97_500))));
        assert_eq!(row.money("none"), Ok(None));
        for column in ["bad", "huge", "text"] {
            assert_eq!(row.money(column), Err(refused(format!("{column} is no amount of money"))));
        }
    }

    #[test]
    fn times_are_utc() {
        let row = row();
        assert_eq!(row.moment("at"), Ok(Some(Micros(1_795_435_006_390_000))));
        assert!(row.moment("never").is_err());
        assert_eq!(row.moment("gone"), Ok(None));
    }

    #[test]
    fn objects_stay_what_they_were() {
        let row = row();
        assert_eq!(row.object_text("meta"), r#"{"n":18446744073709551616.10}"#);
        assert_eq!(row.object_text("wrapped"), r#"{"a":1}"#);
        assert_eq!(row.object("wrapped")["a"], 1);
        assert_eq!(row.object_text("text"), "{}");
        assert_eq!(row.texts("list"), ["a", "b"]);
        assert_eq!(
            (row.place("at"), row.place("spend")),
            ("2026-11-23T11:56:46.39".into(), "9.750000000000001e-05".into())
        );
    }
}
