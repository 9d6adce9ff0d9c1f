//! Names of objects in a bucket, as LiteLLM gives them.

use crate::callbacks::payload;
use crate::callbacks::record::{Told, What};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_core::time::Micros;

/// What a path may hold as it is. RFC 3986, section 2.3, and slashes.
pub(super) const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// `[path/][team/]2026-01-31/time-23-59-59-000001_<id>.json`, and `audit_logs/2026-01-31/<id>.json`.
pub(super) fn name(told: &Told<'_>, path: &str, of_team: bool) -> String {
    let path = path.trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("{path}/") };
    match (&told.exchange, &told.record.what) {
        (Some(exchange), _) => {
            let entry = exchange.entry();
            let (day, time) = parts(entry.started_at);
            let team = entry.team_alias.as_deref().filter(|alias| of_team && !alias.is_empty());
            let team = team.map(|alias| format!("{alias}/")).unwrap_or_default();
            format!("{path}{team}{day}/time-{time}_{}.json", payload::id(entry))
        }
        (None, What::Audit(entry)) => format!("{path}audit_logs/{}/{}.json", parts(entry.at).0, entry.id),
        (None, What::Exchange(finished)) => format!("{path}{}.json", finished.entry.id),
    }
}

/// As a part of an address.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, PATH).to_string()
}

/// Day and time of day, UTC, with nothing in them that a path must not have.
fn parts(at: Micros) -> (String, String) {
    let text = at.rfc3339();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    (day.to_owned(), time.trim_end_matches('Z').replace([':', '.'], "-"))
}
