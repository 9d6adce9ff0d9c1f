//! Who may make keys, as the operator says beyond roles: `litellm_settings.key_generation_settings`, and
//! `general_settings.default_team_disabled`.

use crate::context::Context;
use crate::error::Refusal;
use crate::input::Fields;
use crate::teams::membership;
use weir_core::config::KeyGeneration;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Role, TeamRole};

/// What every request for a key has to say, an admin's too.
///
/// # Errors
/// 400 for the first field that is missing.
pub(super) fn complete(settings: &KeyGeneration, sent: &Fields) -> Result<(), Refusal> {
    let makers = if sent.said("team_id").is_some() { &settings.team } else { &settings.personal };
    match makers.required.iter().find(|name| sent.said(name).is_none()) {
        Some(missing) => Err(Refusal::wrapped(400, &format!("required param {missing} not in data"))),
        None => Ok(()),
    }
}

/// Whether somebody of the caller's role makes keys of this kind. Proxy admins do in any case, or nobody could.
///
/// # Errors
/// 400, as LiteLLM answers.
pub(super) async fn may(context: &Context, record: &KeyRecord) -> Result<(), Refusal> {
    if context.is_admin() {
        return Ok(());
    }
    let config = (context.services.config)();
    let settings = &config.litellm.key_generation;
    match record.team_id.as_deref() {
        Some(team) => of_team(context, settings, team).await,
        None if config.general.team_keys_only => Err(of_teams_only()),
        None => personal(context, settings),
    }
}

/// Who leads the team's organization is no member, and held to nothing here.
async fn of_team(context: &Context, settings: &KeyGeneration, team: &str) -> Result<(), Refusal> {
    let Some(roles) = &settings.team.roles else { return Ok(()) };
    let Some(member) = membership(context, team).await? else { return Ok(()) };
    let role = match member.role {
        TeamRole::Admin => "admin",
        TeamRole::User => "user",
    };
    if roles.iter().any(|allowed| allowed == role) {
        return Ok(());
    }
    let allowed = roles.join(", ");
    Err(Refusal::wrapped(
        400,
        &format!("Team member role {role} not in allowed_team_member_roles=[{allowed}]"),
    ))
}

/// `default_team_disabled`
fn of_teams_only() -> Refusal {
    let message =
        "Personal key creation has been restricted by admin: name a team in team_id (default_team_disabled).";
    Refusal::wrapped(400, message)
}

fn personal(context: &Context, settings: &KeyGeneration) -> Result<(), Refusal> {
    let Some(roles) = &settings.personal.roles else { return Ok(()) };
    let role = context.caller.role().map_or("None", Role::as_str);
    if roles.iter().any(|allowed| allowed == role) {
        return Ok(());
    }
    let allowed = roles.join(", ");
    let message = format!(
        "Personal key creation has been restricted by admin. Allowed roles=[{allowed}]. Your role={role}"
    );
    Err(Refusal::wrapped(400, &message))
}
