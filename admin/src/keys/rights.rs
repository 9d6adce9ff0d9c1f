//! Who may do what with whose keys. The route was allowed already; this narrows it to what is the caller's own, and to
//! rights that the caller has.

use crate::context::Context;
use crate::error::Refusal;
use crate::teams::{leads, membership};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Member, OrganizationMember, Role, Team, User, member_id};
use weir_core::error::{ApiError, Kind};

/// Whether the caller may look at a key: its own, its user's, one of a team it leads or an organisation it administers.
pub(super) async fn may_see(context: &Context, record: &KeyRecord) -> Result<bool, Refusal> {
    Ok(context.sees_all() || owns(context, record) || governs(context, record).await?)
}

/// The key itself, or another one of the same user.
fn owns(context: &Context, record: &KeyRecord) -> bool {
    let Some(known) = context.caller.principal() else { return false };
    known.key.hash == record.hash || record.user_id.is_some() && known.key.user_id == record.user_id
}

/// Leads the key's team, or administers its organisation. A key of a team is the business of that team's organisation.
async fn governs(context: &Context, record: &KeyRecord) -> Result<bool, Refusal> {
    let Some(team) = record.team_id.as_deref() else {
        return Ok(context.administers(record.organization_id.as_deref()));
    };
    if leads(context, Some(team)).await? {
        return Ok(true);
    }
    let team = context.get::<Team>(team).await?;
    Ok(team.is_some_and(|team| context.administers(team.organization_id.as_deref())))
}

/// Is a member of a team whose members may call this route.
async fn permits(context: &Context, team: &str, route: &str) -> Result<bool, Refusal> {
    if membership(context, team).await?.is_none() {
        return Ok(false);
    }
    let team = context.get::<Team>(team).await?;
    Ok(team.is_some_and(|team| team.member_permissions.iter().any(|permitted| permitted == route)))
}

/// Whether the caller may change or delete a key, as it is.
///
/// # Errors
/// 403.
pub(super) async fn may_change(context: &Context, record: &KeyRecord) -> Result<(), Refusal> {
    let sees_only = context.sees_all() && !context.is_admin();
    if context.is_admin() || !sees_only && may_see(context, record).await? {
        return Ok(());
    }
    Err(refused("You are not allowed to change this key: it belongs to somebody else."))
}

/// Whether the caller may unblock this key: not its owner alone, or a block would be none.
///
/// # Errors
/// 403.
pub(super) async fn may_unblock(context: &Context, record: &KeyRecord) -> Result<(), Refusal> {
    if context.is_admin() || governs(context, record).await? {
        return Ok(());
    }
    Err(refused("A blocked key is unblocked by an admin of the gateway, its team or its organization."))
}

/// Whether the caller may make this key by this route, or change the key that was there `before` into it. It must be for
/// the caller itself, or for somebody whom it governs; what it does not have it cannot give.
///
/// # Errors
/// 403.
pub(super) async fn may_make(
    context: &Context,
    before: Option<&KeyRecord>,
    after: &KeyRecord,
    route: &str,
) -> Result<(), Refusal> {
    if context.is_admin() {
        return Ok(());
    }
    let nothing = KeyRecord::new("");
    let kept = before.unwrap_or(&nothing);
    if after.permissions != kept.permissions {
        return Err(only_admins_permit());
    }
    if kept.blocked && !after.blocked {
        may_unblock(context, kept).await?;
    }
    let moved = before.is_none_or(|before| owners(before) != owners(after));
    if !moved || (leaves(context, kept).await? && takes(context, after, route).await?) {
        return Ok(());
    }
    Err(refused(
        "Keys can be made for oneself, and for teams and organizations that one leads or that permit it.",
    ))
}

pub(super) fn only_admins_permit() -> Refusal {
    refused("Only proxy admins give permissions to keys.")
}

fn owners(record: &KeyRecord) -> (Option<&str>, Option<&str>, Option<&str>) {
    (record.user_id.as_deref(), record.team_id.as_deref(), record.organization_id.as_deref())
}

/// Whether a key may be taken from where it is: a team's key stands under the team's limits.
async fn leaves(context: &Context, kept: &KeyRecord) -> Result<bool, Refusal> {
    let free = kept.team_id.is_none() && kept.organization_id.is_none();
    Ok(free || governs(context, kept).await?)
}

async fn takes(context: &Context, after: &KeyRecord, route: &str) -> Result<bool, Refusal> {
    let governs = governs(context, after).await?;
    let own = after.user_id.is_some() && after.user_id.as_deref() == context.by();
    let in_team = match after.team_id.as_deref() {
        Some(team) => governs || permits(context, team, route).await?,
        None => true,
    };
    let in_organization = match after.organization_id.as_deref() {
        Some(organization) => belongs(context, organization),
        None => true,
    };
    let user = match after.user_id.as_deref() {
        Some(user) => own || governs && is_under(context, user, after).await?,
        // A key of nobody is a team's, or one would escape one's own limits by it.
        None => after.team_id.is_some() || governs,
    };
    Ok(in_team && in_organization && user)
}

fn belongs(context: &Context, organization: &str) -> bool {
    let known = context.caller.principal();
    known.is_some_and(|known| known.memberships.iter().any(|m| m.organization_id == organization))
}

/// Whether this user is one of the key's team or organisation, and no admin: a key does what its user may do.
async fn is_under(context: &Context, user: &str, record: &KeyRecord) -> Result<bool, Refusal> {
    let Some(there) = context.get::<User>(user).await? else { return Ok(false) };
    if matches!(there.role, Some(Role::ProxyAdmin | Role::ProxyAdminViewer)) {
        return Ok(false);
    }
    let of_team = match record.team_id.as_deref() {
        Some(team) => context.get::<Member>(&member_id(team, user)).await?.is_some(),
        None => false,
    };
    let of_organization = match record.organization_id.as_deref() {
        Some(id) => context.get::<OrganizationMember>(&member_id(id, user)).await?.is_some(),
        None => false,
    };
    Ok(of_team || of_organization)
}

fn refused(message: &'static str) -> Refusal {
    ApiError::new(Kind::RouteDenied, message).with_status(403).into()
}
