//! Who may do what with which team.

use crate::context::Context;
use crate::error::Refusal;
use weir_core::domain::records::{Member, Team, TeamRole, member_id};
use weir_core::error::{ApiError, Kind};

/// The caller's own place in a team.
pub(crate) async fn membership(context: &Context, team: &str) -> Result<Option<Member>, Refusal> {
    let Some(user) = context.by() else { return Ok(None) };
    Ok(context.get::<Member>(&member_id(team, user)).await?.map(|kept| kept.record))
}

/// Is an admin of the team.
pub(crate) async fn leads(context: &Context, team: Option<&str>) -> Result<bool, Refusal> {
    let Some(team) = team else { return Ok(false) };
    Ok(membership(context, team).await?.is_some_and(|member| member.role == TeamRole::Admin))
}

/// Whether the caller may change this team or its members.
///
/// # Errors
/// 403.
pub(crate) async fn may_change(context: &Context, team: &Team) -> Result<(), Refusal> {
    let org = team.organization_id.as_deref();
    if context.is_admin() || context.administers(org) || leads(context, Some(&team.id)).await? {
        return Ok(());
    }
    let message =
        format!("Call not allowed. User not proxy admin OR team admin. route=/team, team_id={}", team.id);
    Err(ApiError::new(Kind::RouteDenied, message).with_status(403).into())
}

/// Whether the caller may see this team.
///
/// # Errors
/// 403, in LiteLLM's words.
pub(super) async fn may_see(context: &Context, team: &Team) -> Result<(), Refusal> {
    let own = context.caller.principal().is_some_and(|known| known.key.team_id.as_deref() == Some(&team.id));
    let org = context.administers(team.organization_id.as_deref());
    if context.sees_all() || own || org || membership(context, &team.id).await?.is_some() {
        return Ok(());
    }
    let message = match context.by() {
        Some(user) => format!("User={user} not authorized to access this team={}", team.id),
        None => format!(
            "API key not authorized to access this team={}. No user_id or team_id associated with this key.",
            team.id
        ),
    };
    Err(Refusal::told(403, "auth_error", "None", format!("{{'error': '{message}'}}")))
}
