//! Which entries are asked for.

use crate::context::Context;
use crate::deleted;
use crate::error::Refusal;
use crate::input::Params;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Status;
use weir_core::ports::{Condition, SpendFilter};
use weir_core::time::Micros;

/// Rows in one answer. Without a limit it would be everything there is.
const MAX_ROWS: u32 = 10_000;

/// The parameters of `/spend/logs`, understood.
pub(super) struct Asked {
    pub(super) filter: SpendFilter,
    pub(super) by_day: bool,
}

impl Asked {
    pub(super) fn read(params: &Params) -> Result<Self, Refusal> {
        let limit = params.positive("limit")?.unwrap_or(MAX_ROWS).min(MAX_ROWS);
        let page = params.positive("page")?.unwrap_or(1);
        let filter = SpendFilter {
            key_hash: params.get("api_key").map(KeyHash::from_key_or_hash),
            user_id: params.text("user_id"),
            team_id: params.text("team_id"),
            end_user: params.text("end_user"),
            model: params.text("model"),
            session_id: params.text("session_id"),
            status: params.get("status_filter").and_then(Status::parse),
            // What is no status was nobody's answer.
            http_status: params.get("error_code").map(|code| code.parse().unwrap_or_default()),
            min_cost: params.get("min_spend").and_then(|text| NanoUsd::parse(text).ok()),
            max_cost: params.get("max_spend").and_then(|text| NanoUsd::parse(text).ok()),
            request_id: params.text("request_id"),
            from: params.get("start_date").map(|text| moment(text, false)).transpose()?,
            until: params.get("end_date").map(|text| moment(text, true)).transpose()?,
            limit,
            offset: limit.saturating_mul(page - 1),
            ..SpendFilter::default()
        };
        let both = filter.from.is_some() && filter.until.is_some();
        Ok(Self { by_day: both && params.flag("summarize")?.unwrap_or(true), filter })
    }
}

/// The key that is called so, or was when it was deleted. Nobody's, where there is none, or where another key was asked
/// for.
pub(super) async fn called(
    context: &Context,
    alias: &str,
    asked: Option<KeyHash>,
) -> Result<KeyHash, Refusal> {
    let of_alias = vec![Condition::In("alias", vec![alias.to_owned()])];
    let there = context.all::<KeyRecord>(of_alias.clone()).await?;
    let hash = match there.first() {
        Some(key) => Some(key.hash),
        None => deleted::all::<KeyRecord>(context, &of_alias).await?.first().map(|gone| gone.record.hash),
    };
    let nobodys = KeyHash::of("");
    Ok(hash.filter(|hash| asked.is_none_or(|asked| asked == *hash)).unwrap_or(nobodys))
}

/// `2026-11-25`, or a date with a time, UTC unless it says otherwise. A plain end date includes its day; an
/// end with a time is exact and not included, so that ranges can be put side by side.
pub(crate) fn moment(text: &str, end: bool) -> Result<Micros, Refusal> {
    let bad = || bad_date(text);
    if text.len() == 10 {
        let day: Date = text.parse().map_err(|_| bad())?;
        let day = if end { day.checked_add(1.day()).map_err(|_| bad())? } else { day };
        return utc(day.at(0, 0, 0, 0)).ok_or_else(bad);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Micros(moment.as_microsecond()));
    }
    text.parse::<DateTime>().ok().and_then(utc).ok_or_else(bad)
}

/// A day of the sums, `2026-11-25`.
pub(crate) fn day_text(day: &str) -> String {
    let days =
        day.parse::<i64>().ok().and_then(|days| Date::new(1970, 1, 1).ok()?.checked_add(days.days()).ok());
    days.map(|date| date.to_string()).unwrap_or_default()
}

fn utc(moment: DateTime) -> Option<Micros> {
    let zoned = moment.to_zoned_datetime(TimeZone::UTC).ok()?;
    Some(Micros(zoned.timestamp().as_microsecond()))
}

fn bad_date(text: &str) -> Refusal {
    let text: String = text.chars().take(40).collect();
    let message = format!("/spend/logs Error: time data '{text}' does not match format '%Y-%m-%d'");
    Refusal::told(400, "internal_error", "None", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;
    /// 2026-11-25T00:00:00Z
    const START: i64 = 1_795_564_800_000_000;

    #[test]
    fn a_plain_end_date_includes_its_day_and_a_time_is_exact() {
        for (text, end, micros) in [
            ("2026-11-25", false, START),
            ("2026-11-25", true, START + DAY),
            ("2026-11-25 12:00:00", false, START + DAY / 2),
            ("2026-11-25T12:00:00", true, START + DAY / 2),
            ("2026-11-25T12:00:00Z", true, START + DAY / 2),
            ("2026-11-25T12:00:00+12:00", true, START),
        ] {
            assert_eq!(moment(text, end).unwrap(), Micros(micros), "{text}");
        }
        for text in ["bad", "2026-13-01", "2026-1-1", "9999-12-31T99", "0000-00-00", "äöüäö"] {
            assert!(moment(text, true).is_err(), "{text}");
        }
        assert!(moment("9999-12-31", true).is_err());
    }
}
