//! Floods of callers whom nobody knows. An address that sends too many requests with no key, or with wrong ones, is no
//! longer looked up for the rest of the second; keys that are known without a look go on working from there.

use async_trait::async_trait;
use http::HeaderMap;
use pingora_limits::rate::Rate;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use weir_core::access::Door;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, Principal};
use weir_core::domain::records::RecordKind;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::{KeyLookup, LedgerResult};

/// What is counted together, and when to come again.
const SECOND: Duration = Duration::from_secs(1);

/// Counts unknown callers by address, in bounded memory: by an estimate that never counts too few.
pub struct Strangers(Rate);

impl Default for Strangers {
    fn default() -> Self {
        Self(Rate::new(SECOND))
    }
}

impl Strangers {
    /// As [`Door::who`]. `most`: unknown callers from one address in a second; `None`: any number of them.
    ///
    /// # Errors
    /// Those of the door; 429 for one unknown caller too many.
    pub async fn who(
        &self,
        door: Door<'_>,
        headers: &HeaderMap,
        writes: bool,
        from: Option<IpAddr>,
        most: Option<u32>,
    ) -> Result<Caller, ApiError> {
        let Some((from, most)) = from.map(network).zip(most) else { return door.who(headers, writes).await };
        if self.0.observe(&from, 0) < isize::try_from(most).unwrap_or(isize::MAX) {
            let known = door.who(headers, writes).await;
            if known.as_ref().is_err_and(is_strange) {
                self.0.observe(&from, 1);
            }
            return known;
        }
        let remembered = Remembered(door.keys);
        let known = Door { keys: &remembered, bearers: None, ..door }.who(headers, writes).await;
        known.map_err(|error| if is_strange(&error) { too_many() } else { error })
    }
}

fn is_strange(error: &ApiError) -> bool {
    matches!(error.kind(), Kind::MissingKey | Kind::UnknownKey)
}

fn too_many() -> ApiError {
    let message = "Too many requests without a valid key came from this address; try again in a second.";
    ApiError::new(Kind::TooManyLookups, message).with_retry_after(SECOND)
}

/// Whoever has one address of IPv6 mostly has all 64 bits of it.
fn network(from: IpAddr) -> IpAddr {
    let IpAddr::V6(address) = from.to_canonical() else { return from.to_canonical() };
    let [a, b, c, d, ..] = address.segments();
    IpAddr::from([a, b, c, d, 0, 0, 0, 0])
}

/// Keys, as far as nobody has to be asked.
struct Remembered<'a>(&'a dyn KeyLookup);

#[async_trait]
impl KeyLookup for Remembered<'_> {
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        Ok(self.0.remembered(hash).await)
    }

    async fn session(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        Ok(self.0.remembered(hash).await)
    }

    async fn forget(&self, kind: RecordKind, id: &str) {
        self.0.forget(kind, id).await;
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn p49_one_network_is_one_caller() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:2") && !same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1") && !same("192.0.2.1", "192.0.2.2"));
    }
}
