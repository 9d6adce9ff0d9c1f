//! Recognising whoever sent a request: by a key, by a token of an identity provider, or by the session of a browser.

use super::{MasterKey, identify, presented, session, unavailable};
use crate::domain::ids::KeyHash;
use crate::domain::key::{Caller, Principal};
use crate::error::{ApiError, Kind};
use crate::ports::KeyLookup;
use crate::ports::identity::Bearers;
use crate::time;
use http::HeaderMap;
use std::sync::Arc;

/// What callers are recognised by.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// `litellm_key_header_name`.
    pub custom: Option<&'a str>,
    pub master: Option<&'a MasterKey>,
    pub keys: &'a dyn KeyLookup,
    /// `None`: tokens of identity providers are not taken.
    pub bearers: Option<&'a dyn Bearers>,
}

impl Door<'_> {
    /// Who sent this. A key counts before a session: whoever sends one means it. `writes`: the request may change
    /// something, or cost money, so a session needs its header.
    ///
    /// # Errors
    /// 401 for nobody, 403 for a session without its header, 503 where nobody can say.
    pub async fn who(&self, headers: &HeaderMap, writes: bool) -> Result<Caller, ApiError> {
        let key = presented(headers, self.custom);
        let ours = key.as_ref().is_ok_and(|key| self.is_key(key));
        if self.master.is_none() || ours {
            return identify(key, self.master, self.keys).await;
        }
        if let Some(token) = session::token(headers) {
            return self.session(headers, token, writes).await;
        }
        if let (Ok(token), Some(bearers)) = (&key, self.bearers)
            && let Some(known) = bearers.recognise(token).await
        {
            return known;
        }
        identify(key, self.master, self.keys).await
    }

    fn is_key(&self, key: &str) -> bool {
        key.starts_with("sk-") || self.master.is_some_and(|master| master.matches(&KeyHash::of(key)))
    }

    async fn session(&self, headers: &HeaderMap, token: &str, writes: bool) -> Result<Caller, ApiError> {
        let known = self.keys.session(&KeyHash::of(token)).await.map_err(unavailable)?;
        let known = known.ok_or_else(signed_out)?;
        let caller = self.signed_in(known)?;
        if writes && !session::has_csrf(headers, token) {
            let message = "The header x-weir-csrf is missing or belongs to another session. Reload the page.";
            return Err(ApiError::new(Kind::Csrf, message));
        }
        Ok(caller)
    }

    fn signed_in(&self, known: Arc<Principal>) -> Result<Caller, ApiError> {
        let session = known.session.as_ref().filter(|session| !session.ended(time::now()));
        let session = session.ok_or_else(signed_out)?;
        if let Some(hash) = session.master {
            let current = self.master.filter(|master| master.mark() == hash).ok_or_else(signed_out)?;
            return Ok(Caller::Master(current.hash()));
        }
        let user = known.user.as_ref().ok_or_else(signed_out)?;
        if user.blocked {
            let message = "Authentication Error, User is blocked. Update via `/user/update` if you're admin.";
            return Err(ApiError::new(Kind::KeyBlocked, message));
        }
        Ok(Caller::Key(known))
    }
}

fn signed_out() -> ApiError {
    ApiError::new(Kind::MissingKey, "The session has ended. Sign in again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::KeyRecord;
    use crate::domain::records::{RecordKind, Session, SignedBy, User};
    use crate::ports::LedgerResult;
    use crate::time::Micros;
    use async_trait::async_trait;
    use secrecy::SecretString;

    const TOKEN: &str = "weir-session-of-a-test";

    struct One(Session, Option<User>);

    #[async_trait]
    impl KeyLookup for One {
        async fn lookup(&self, _hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
            Ok(None)
        }

        async fn session(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
            let mut known = Principal::of(KeyRecord::of_session(&self.0));
            known.user = self.1.clone();
            known.session = Some(self.0.clone());
            Ok((*hash == self.0.hash).then(|| Arc::new(known)))
        }

        async fn forget(&self, _kind: RecordKind, _id: &str) {}
    }

    fn session() -> Session {
        Session {
            hash: KeyHash::of(TOKEN),
            user_id: Some(String::from("alice")),
            master: None,
            by: SignedBy::Password,
            seen_at: time::now(),
            idle: 3_600_000_000,
            expires_at: Micros(i64::MAX),
            sealed_id_token: None,
        }
    }

    fn alice() -> User {
        User { id: String::from("alice"), ..User::default() }
    }

    fn asked(one: &One, headers: &[(&'static str, &str)], writes: bool) -> Result<Caller, u16> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let master = MasterKey::new(&SecretString::from("sk-master"));
        let door = Door { custom: None, master: Some(&master), keys: one, bearers: None };
        let mut asking = std::pin::pin!(door.who(&headers, writes));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match asking.as_mut().poll(&mut context) {
            std::task::Poll::Ready(known) => known.map_err(|error| error.status()),
            std::task::Poll::Pending => panic!("nothing here waits"),
        }
    }

    fn cookie() -> (&'static str, &'static str) {
        ("cookie", "weir_session=weir-session-of-a-test")
    }

    #[test]
    fn p37_a_session_reads_with_its_cookie_and_writes_with_its_header() {
        let one = One(session(), Some(alice()));
        assert_eq!(asked(&one, &[cookie()], false).unwrap().user_id(), Some("alice"));
        assert_eq!(asked(&one, &[cookie()], true).unwrap_err(), 403);
        let csrf = session::csrf(TOKEN);
        assert!(asked(&one, &[cookie(), ("x-weir-csrf", &csrf)], true).is_ok());
        assert_eq!(
            asked(&one, &[("authorization", "Bearer weir-session-of-a-test")], false).unwrap_err(),
            401
        );
        assert!(asked(&one, &[cookie(), ("authorization", "Bearer sk-master")], true).unwrap().is_admin());
    }

    #[test]
    fn p37_what_has_ended_lets_nobody_in() {
        let refused = |session: Session, user| asked(&One(session, user), &[cookie()], false).unwrap_err();
        assert_eq!(refused(Session { expires_at: Micros(1), ..session() }, Some(alice())), 401);
        assert_eq!(refused(session(), None), 401, "the user is gone");
        assert_eq!(refused(session(), Some(User { blocked: true, ..alice() })), 401);
        let other = Session { master: Some(KeyHash::of("sk-former-master")), user_id: None, ..session() };
        assert_eq!(refused(other, None), 401, "of another master key");
        let of_master = Session { master: Some(KeyHash::of("sk-master")), user_id: None, ..session() };
        assert!(asked(&One(of_master, None), &[cookie()], false).unwrap().is_admin());
    }
}
