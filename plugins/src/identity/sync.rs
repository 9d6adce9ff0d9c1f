//! `sync_user_role_and_teams`: users have the role and are in the teams that their tokens say, and in no others.

use super::claims::Claimed;
use super::{Fault, Identities};
use serde_json::json;
use weir_core::domain::ids::{KeyHash, new_entry_id};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Kept, Member, Moves, Record, RecordKind, Team, User};
use weir_core::ports::{AuditEntry, Change, Condition, LedgerError, RecordQuery, records};
use weir_core::time::{self, Micros};

/// Memberships of one user that are looked at.
const MEMBERSHIPS: u32 = 10_000;
/// Keys of one user that end with memberships.
const KEYS: u32 = 10_000;

/// What is to be changed, and who said so.
struct Changes<'a> {
    user: &'a str,
    hash: KeyHash,
    now: Micros,
    made: Vec<Change>,
    audit: Vec<AuditEntry>,
}

impl Changes<'_> {
    fn add(&mut self, change: Change, action: &'static str, (kind, id): (RecordKind, String), after: String) {
        self.made.push(change);
        self.audit.push(AuditEntry {
            id: new_entry_id().to_string(),
            at: self.now,
            changed_by: self.user.to_owned(),
            key_hash: self.hash.hex(),
            action,
            kind,
            object_id: id,
            before: String::new(),
            after,
        });
    }

    fn role(&mut self, kept: &Kept<User>, claimed: &Claimed) -> Result<(), LedgerError> {
        let Some(role) = claimed.kept_role.filter(|role| kept.role != Some(*role)) else { return Ok(()) };
        let user = User { role: Some(role), ..kept.record.clone() };
        let change = records::update(kept, &user, self.now, Some(self.user))?;
        let after = json!({ "role": role.as_str() }).to_string();
        self.add(change, "updated", (RecordKind::User, user.id), after);
        Ok(())
    }

    /// `keys`: those that the user has in teams that are left.
    fn teams(&mut self, moves: &Moves, keys: &[Kept<KeyRecord>]) -> Result<(), LedgerError> {
        for member in &moves.joins {
            let change = records::insert(member, self.now, Some(self.user))?;
            let after = json!({ "team_id": member.team_id, "user_id": member.user_id }).to_string();
            self.add(change, "created", (RecordKind::Member, member.id()), after);
        }
        for member in &moves.leaves {
            self.add(records::delete(member), "deleted", (RecordKind::Member, member.id()), String::new());
        }
        for key in keys {
            self.add(records::delete(&key.record), "deleted", (RecordKind::Key, key.id()), String::new());
        }
        Ok(())
    }
}

impl Identities {
    /// Does nothing for who is not known and is not to be made.
    pub(super) async fn kept_up(&self, claimed: &Claimed, hash: KeyHash) -> Result<(), Fault> {
        let Some(id) = &claimed.user else { return Ok(()) };
        let directory = self.directory.as_ref();
        let kept = match records::get::<User>(directory, id).await? {
            None if claimed.upsert => {
                self.made(claimed).await?;
                records::get::<User>(directory, id).await?
            }
            found => found,
        };
        let Some(kept) = kept else { return Ok(()) };
        let (made, audit) = (Vec::new(), Vec::new());
        let mut changes = Changes { user: id, hash, now: time::now(), made, audit };
        changes.role(&kept, claimed)?;
        if let Some(teams) = &claimed.all_teams {
            let moves = self.moves(&kept, teams).await?;
            let keys = self.keys_in(id, &moves.leaves).await?;
            changes.teams(&moves, &keys)?;
        }
        self.commit(changes).await
    }

    async fn moves(&self, user: &User, teams: &[String]) -> Result<Moves, Fault> {
        let directory = self.directory.as_ref();
        let named = records::get_all::<Team>(directory, teams).await?;
        let named: Vec<Team> = named.into_iter().map(|kept| kept.record).collect();
        let query = RecordQuery {
            conditions: vec![Condition::In("user_id", vec![user.id.clone()])],
            limit: MEMBERSHIPS,
            ..RecordQuery::default()
        };
        let there = records::list::<Member>(directory, &query).await?.records;
        Ok(Moves::of(user, &named, there.into_iter().map(|kept| kept.record).collect(), true))
    }

    /// Keys that a user has in these teams: they are for as long as one belongs to them.
    async fn keys_in(&self, user: &str, left: &[Member]) -> Result<Vec<Kept<KeyRecord>>, Fault> {
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let teams = left.iter().map(|member| member.team_id.clone()).collect();
        let query = RecordQuery {
            conditions: vec![
                Condition::In("user_id", vec![user.to_owned()]),
                Condition::In("team_id", teams),
            ],
            limit: KEYS,
            ..RecordQuery::default()
        };
        Ok(records::list::<KeyRecord>(self.directory.as_ref(), &query).await?.records)
    }

    async fn commit(&self, changes: Changes<'_>) -> Result<(), Fault> {
        if changes.made.is_empty() {
            return Ok(());
        }
        let audit = if self.config.litellm.store_audit_logs { changes.audit.as_slice() } else { &[] };
        match self.directory.commit(&changes.made, audit).await {
            // Another request of the same user was quicker.
            Ok(()) | Err(LedgerError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        for entry in &changes.audit {
            self.keys.forget(entry.kind, &entry.object_id).await;
        }
        Ok(())
    }
}
