//! How long keys of a team's members last at most (`team_member_key_duration`). What belongs to no member, such as a service's
//! key, may last.

use crate::context::Context;
use crate::duration;
use crate::error::Refusal;
use serde_json::Value;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::Team;
use weir_core::time::Micros;

/// Where the team's metadata say it.
const NAME: &str = "team_member_key_duration";

/// A key that would last longer, or for ever, ends when its team says.
///
/// # Errors
/// What the team says is no duration.
pub(crate) async fn bound(context: &Context, record: &mut KeyRecord, now: Micros) -> Result<(), Refusal> {
    let Some(team) = record.team_id.as_deref().filter(|_| record.user_id.is_some()) else { return Ok(()) };
    let Some(team) = context.get::<Team>(team).await? else { return Ok(()) };
    let metadata: Value = serde_json::from_str(&team.metadata).unwrap_or_default();
    let Some(most) = metadata[NAME].as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    let most = duration::after(now, most).map_err(Refusal::internal)?;
    record.expires_at = Some(record.expires_at.map_or(most, |at| at.min(most)));
    Ok(())
}

/// The same of a key that is changed, where its time or its team was. Proxy admins may let it last.
pub(super) async fn bound_changed(
    context: &Context,
    before: &KeyRecord,
    record: &mut KeyRecord,
    now: Micros,
) -> Result<(), Refusal> {
    let is_same = (record.expires_at, &record.team_id) == (before.expires_at, &before.team_id);
    if is_same || context.is_admin() { Ok(()) } else { bound(context, record, now).await }
}
