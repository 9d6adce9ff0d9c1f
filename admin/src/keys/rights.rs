//! Who may do what with whose keys. The route was allowed already; this narrows it to what is the caller's own.

use crate::context::Context;
use crate::error::Refusal;
use crate::teams::leads;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Member, Team, member_id};
use weir_core::error::{ApiError, Kind};

/// Whether the caller may look at a key: its own, its user's, one of a team it leads or an organisation it administers.
pub(super) async fn may_see(context: &Context, record: &KeyRecord) -> Result<bool, Refusal> {
    if context.sees_all() {
        return Ok(true);
    }
    let Some(known) = context.caller.principal() else { return Ok(false) };
    let own = known.key.hash == record.hash;
    let same_user = record.user_id.is_some() && known.key.user_id == record.user_id;
    if own || same_user || context.administers(record.organization_id.as_deref()) {
        return Ok(true);
    }
    leads(context, record.team_id.as_deref()).await
}

/// Whether the caller may change a key.
///
/// # Errors
/// 403.
pub(super) async fn may_change(context: &Context, record: &KeyRecord) -> Result<(), Refusal> {
    if context.is_admin() || !context.sees_all() && may_see(context, record).await? {
        return Ok(());
    }
    let message = "You are not allowed to change this key: it belongs to somebody else.";
    Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into())
}

/// Whether the caller may make this key: for itself, or for a team that it leads or whose members may.
///
/// # Errors
/// 403.
pub(super) async fn may_make(context: &Context, record: &KeyRecord) -> Result<(), Refusal> {
    if context.is_admin() || context.administers(record.organization_id.as_deref()) {
        return Ok(());
    }
    let own = context.by();
    let for_other = record.user_id.is_some() && record.user_id.as_deref() != own;
    let allowed = match record.team_id.as_deref() {
        Some(team) => {
            leads(context, Some(team)).await? || !for_other && permits(context, team, "/key/generate").await?
        }
        None => !for_other,
    };
    if allowed {
        return Ok(());
    }
    let message = "User can only create keys for themselves, and for teams that they lead or that permit it.";
    Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into())
}

async fn membership(context: &Context, team: &str) -> Result<Option<Member>, Refusal> {
    let Some(user) = context.by() else { return Ok(None) };
    Ok(context.get::<Member>(&member_id(team, user)).await?.map(|kept| kept.record))
}

/// Is a member of a team whose members may call this route.
async fn permits(context: &Context, team: &str, route: &str) -> Result<bool, Refusal> {
    if membership(context, team).await?.is_none() {
        return Ok(false);
    }
    let team = context.get::<Team>(team).await?;
    Ok(team.is_some_and(|team| team.member_permissions.iter().any(|permitted| permitted == route)))
}
