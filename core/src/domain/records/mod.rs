//! What admins keep: keys, teams, users and the like. Each kind is one row of [`KINDS`], one type, and one table of the
//! ledger, whose rows are a document with a few columns beside it to look it up by.

mod budget;
mod customer;
mod limits;
mod member;
mod model;
mod organization;
mod other;
mod session;
mod team;
mod user;

pub use budget::Budget;
pub use customer::Customer;
pub use limits::Limits;
pub use member::{Member, Moves, OrganizationMember, TeamRole, member_id};
pub use model::{Credential, ModelRecord};
pub use organization::Organization;
pub use other::{FormerKey, Invitation, Setting, Tag};
pub use session::{Session, SignedBy};
pub use team::Team;
pub use user::{Role, User};

use crate::time::Micros;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    Key,
    FormerKey,
    Team,
    Member,
    User,
    Organization,
    OrganizationMember,
    Customer,
    Budget,
    Tag,
    Model,
    Credential,
    Setting,
    Invitation,
    Session,
}

/// Everything about a kind that is only a name.
pub struct KindRow {
    pub kind: RecordKind,
    /// Its table in the ledger.
    pub table: &'static str,
    /// Columns beside the document. Lists filter and sort by them.
    pub columns: &'static [&'static str],
    /// LiteLLM's name of its table, which audit entries carry.
    pub litellm: &'static str,
}

const fn kind(
    kind: RecordKind,
    table: &'static str,
    columns: &'static [&'static str],
    litellm: &'static str,
) -> KindRow {
    KindRow { kind, table, columns, litellm }
}

/// In the order of [`RecordKind`].
#[rustfmt::skip]
pub static KINDS: &[KindRow] = &[
    kind(RecordKind::Key, "virtual_key", &["alias", "user_id", "team_id", "organization_id", "budget_id", "rotates_at", "resets_at", "masked"], "LiteLLM_VerificationToken"),
    kind(RecordKind::FormerKey, "former_key", &["current"], "LiteLLM_DeprecatedVerificationToken"),
    kind(RecordKind::Team, "team", &["alias", "organization_id", "resets_at", "external_id"], "LiteLLM_TeamTable"),
    kind(RecordKind::Member, "team_member", &["team_id", "user_id", "budget_id"], "LiteLLM_TeamMembership"),
    kind(RecordKind::User, "internal_user", &["email", "sso_id", "role", "alias", "resets_at", "external_id", "user_name"], "LiteLLM_UserTable"),
    kind(RecordKind::Organization, "organization", &["alias", "budget_id"], "LiteLLM_OrganizationTable"),
    kind(RecordKind::OrganizationMember, "organization_member", &["organization_id", "user_id"], "LiteLLM_OrganizationMembership"),
    kind(RecordKind::Customer, "customer", &["alias", "budget_id"], "LiteLLM_EndUserTable"),
    kind(RecordKind::Budget, "budget", &["resets_at"], "LiteLLM_BudgetTable"),
    kind(RecordKind::Tag, "tag", &["budget_id"], "LiteLLM_TagTable"),
    kind(RecordKind::Model, "model", &["name", "team_id"], "LiteLLM_ProxyModelTable"),
    kind(RecordKind::Credential, "credential", &[], "LiteLLM_CredentialsTable"),
    kind(RecordKind::Setting, "setting", &[], "LiteLLM_Config"),
    kind(RecordKind::Invitation, "invitation", &["user_id"], "LiteLLM_InvitationLink"),
    kind(RecordKind::Session, "ui_session", &["user_id", "expires_at"], "LiteLLM_UserSession"),
];

impl RecordKind {
    /// The kind's row in [`KINDS`].
    pub fn row(self) -> &'static KindRow {
        &KINDS[self as usize]
    }
}

/// One kind's type. Its JSON is what the ledger keeps: a member that is added gets a default, one that an older
/// version does not know must survive being written by it (`extra`).
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const KIND: RecordKind;

    /// Unique within the kind.
    fn id(&self) -> String;

    /// Values of the kind's columns, in their order.
    fn columns(&self) -> Vec<Option<String>>;
}

/// A moment as columns hold it, which sorts as it counts.
pub fn due(at: Option<Micros>) -> Option<String> {
    at.map(|at| format!("{:020}", at.0.max(0)))
}

/// A record and what the ledger knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    pub record: T,
    /// Raised by every change: a change that began from an older one is refused.
    pub version: i64,
    pub created_at: Micros,
    pub created_by: Option<String>,
    pub updated_at: Micros,
    pub updated_by: Option<String>,
}

impl<T> std::ops::Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind as usize, index, "{}", row.table);
        }
    }
}
