//! A key with all that decides what it may do.

use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Budgets, KeyRecord, Principal};
use weir_core::domain::records::{FormerKey, Member, OrganizationMember, Record, Session, member_id};
use weir_core::ports::records::{get, list};
use weir_core::ports::{Condition, Directory, LedgerResult, RecordQuery};
use weir_core::time;

/// Organisations of one user that are looked at.
const MEMBERSHIPS: u32 = 1_000;

/// Loads a key by the hash of what was presented, which may be its former text.
pub(crate) async fn principal(directory: &dyn Directory, hash: &KeyHash) -> LedgerResult<Option<Principal>> {
    let Some(key) = key(directory, hash).await? else { return Ok(None) };
    behind(directory, key).await.map(Some)
}

/// Loads whoever has signed in with the token that has this hash.
pub(crate) async fn signed_in(directory: &dyn Directory, hash: &KeyHash) -> LedgerResult<Option<Principal>> {
    let Some(session) = by_id::<Session>(directory, Some(&hash.hex())).await? else { return Ok(None) };
    let mut known = behind(directory, KeyRecord::of_session(&session)).await?;
    known.session = Some(session);
    Ok(Some(known))
}

/// A key with all that stands behind it.
pub(crate) async fn behind(directory: &dyn Directory, key: KeyRecord) -> LedgerResult<Principal> {
    let mut known = Principal::of(key);
    known.user = by_id(directory, known.key.user_id.as_deref()).await?;
    known.team = by_id(directory, known.key.team_id.as_deref()).await?;
    let organization = known.key.organization_id.as_deref();
    let organization = organization.or(known.team.as_ref().and_then(|team| team.organization_id.as_deref()));
    known.organization = by_id(directory, organization).await?;
    if let (Some(team), Some(user)) = (&known.key.team_id, &known.key.user_id) {
        known.member = by_id::<Member>(directory, Some(&member_id(team, user))).await?;
    }
    let of_member = known.member.as_ref().and_then(|member| member.budget_id.as_deref());
    let of_organization = known.organization.as_ref().and_then(|org| org.budget_id.as_deref());
    known.budgets = Budgets {
        key: by_id(directory, known.key.budget_id.as_deref()).await?,
        member: by_id(directory, of_member).await?,
        organization: by_id(directory, of_organization).await?,
    };
    if let Some(user) = known.key.user_id.clone() {
        known.memberships = memberships(directory, user).await?;
    }
    Ok(known)
}

async fn key(directory: &dyn Directory, hash: &KeyHash) -> LedgerResult<Option<KeyRecord>> {
    if let Some(key) = get::<KeyRecord>(directory, &hash.hex()).await? {
        return Ok(Some(key.record));
    }
    match get::<FormerKey>(directory, &hash.hex()).await? {
        Some(former) if former.until > time::now() => by_id(directory, Some(&former.current.hex())).await,
        _ => Ok(None),
    }
}

async fn by_id<T: Record>(directory: &dyn Directory, id: Option<&str>) -> LedgerResult<Option<T>> {
    let Some(id) = id else { return Ok(None) };
    Ok(get::<T>(directory, id).await?.map(|kept| kept.record))
}

async fn memberships(directory: &dyn Directory, user: String) -> LedgerResult<Vec<OrganizationMember>> {
    let query = RecordQuery {
        conditions: vec![Condition::In("user_id", vec![user])],
        limit: MEMBERSHIPS,
        ..RecordQuery::default()
    };
    let page = list::<OrganizationMember>(directory, &query).await?;
    Ok(page.records.into_iter().map(|kept| kept.record).collect())
}
