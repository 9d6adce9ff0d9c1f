//! Names to addresses, remembered for a while. Pingora would resolve with a blocking call that panics on failure.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::lookup_host;

/// Addresses by `host:port`. An answer is used for 30 s, and longer when the resolver fails.
pub struct Resolver {
    known: moka::sync::Cache<String, Answer>,
    /// Addresses of IPv6 count as none.
    ipv4_only: bool,
}

#[derive(Clone)]
struct Answer {
    at: Instant,
    addresses: Arc<[SocketAddr]>,
}

const FRESH: Duration = Duration::from_secs(30);
const MAX_NAMES: u64 = 1_000;
const MAX_WAIT: Duration = Duration::from_secs(5);

impl Resolver {
    pub fn new() -> Self {
        Self { known: moka::sync::Cache::new(MAX_NAMES), ipv4_only: false }
    }

    /// The same, which finds addresses of IPv4 alone where that is wanted.
    #[must_use]
    pub fn ipv4_only(self, wanted: bool) -> Self {
        Self { ipv4_only: wanted, ..self }
    }

    /// At least one address, or why there is none.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Arc<[SocketAddr]>, String> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Arc::from([SocketAddr::new(ip, port)]));
        }
        let name = format!("{host}:{port}");
        let known = self.known.get(&name);
        if let Some(answer) = known.as_ref().filter(|a| a.at.elapsed() < FRESH) {
            return Ok(Arc::clone(&answer.addresses));
        }
        match lookup(&name, self.ipv4_only).await {
            Ok(addresses) => {
                self.known.insert(name, Answer { at: Instant::now(), addresses: Arc::clone(&addresses) });
                Ok(addresses)
            }
            Err(why) => known.map(|stale| stale.addresses).ok_or(why),
        }
    }
}

async fn lookup(name: &str, ipv4_only: bool) -> Result<Arc<[SocketAddr]>, String> {
    let found = tokio::time::timeout(MAX_WAIT, lookup_host(name)).await;
    let found = found.map_err(|_| format!("resolving {name} took too long"))?;
    let found = found.map_err(|e| format!("cannot resolve {name}: {e}"))?;
    let addresses: Vec<_> = found.filter(|address| !ipv4_only || address.is_ipv4()).collect();
    if addresses.is_empty() {
        let kind = if ipv4_only { "no IPv4 address, and force_ipv4 wants one" } else { "no address" };
        return Err(format!("{name} has {kind}"));
    }
    Ok(addresses.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_ipv4_is_found_where_that_is_wanted() {
        let resolver = Resolver::new().ipv4_only(true);
        let found = resolver.addresses("localhost", 80).await.unwrap();
        assert!(found.iter().all(SocketAddr::is_ipv4), "{found:?}");
        assert_eq!(resolver.addresses("::1", 80).await.unwrap().len(), 1, "an address is no name");
    }
}
