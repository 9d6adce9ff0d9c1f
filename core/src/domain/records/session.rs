//! Who has signed in to the admin UI.

use super::{Record, RecordKind, due};
use crate::domain::ids::KeyHash;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// A browser that somebody has signed in with. The token that it holds is nowhere kept, only its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub hash: KeyHash,
    /// `None`: the master's.
    pub user_id: Option<String>,
    /// Hash of the master key of then, in sessions of the master: with another master key they are over.
    #[serde(default)]
    pub master: Option<KeyHash>,
    pub by: SignedBy,
    /// When it was last used, as far as that was noted.
    pub seen_at: Micros,
    /// How long it may lie unused, in microseconds.
    pub idle: i64,
    pub expires_at: Micros,
    /// The identity provider's token, sealed: it is shown there when the session ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_id_token: Option<String>,
}

/// How somebody has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    Password,
    Sso,
    /// A proxy in front said who it is.
    Proxy,
    /// No session at all: a sign-in that was used, and cannot be used again.
    Spent,
}

/// Sessions are noted as used this many times within their idle time, so that not every request writes.
const NOTED: i64 = 8;

impl Session {
    /// Over, or left alone too long.
    pub fn ended(&self, now: Micros) -> bool {
        self.by == SignedBy::Spent || now >= self.expires_at || now.since(self.seen_at) >= self.idle
    }

    /// Whether it is time to note that it is in use.
    pub fn wants_noting(&self, now: Micros) -> bool {
        now.since(self.seen_at) > self.idle / NOTED
    }
}

impl Record for Session {
    const KIND: RecordKind = RecordKind::Session;

    fn id(&self) -> String {
        self.hash.hex()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![self.user_id.clone(), due(Some(self.expires_at))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            hash: KeyHash::of("weir-session-x"),
            user_id: Some(String::from("alice")),
            master: None,
            by: SignedBy::Password,
            seen_at: Micros(1_000),
            idle: 800,
            expires_at: Micros(10_000),
            sealed_id_token: None,
        }
    }

    #[test]
    fn a_session_ends_when_it_is_old_or_left_alone() {
        let used = |seen_at| Session { seen_at: Micros(seen_at), ..session() };
        assert!(!session().ended(Micros(1_799)) && session().ended(Micros(1_800)), "left alone");
        assert!(!used(9_900).ended(Micros(9_999)) && used(9_900).ended(Micros(10_000)), "old, however busy");
        assert!(Session { by: SignedBy::Spent, ..session() }.ended(Micros(1_000)), "never one");
    }

    #[test]
    fn not_every_request_is_noted() {
        assert!(!session().wants_noting(Micros(1_100)) && session().wants_noting(Micros(1_101)));
    }
}
