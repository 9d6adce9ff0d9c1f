//! Bounds of memory and concurrency. Beyond them requests are shed at once with 503, so that the ones inside are
//! served.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use weir_core::error::{ApiError, Kind};

/// Shared by all workers.
pub struct Limits {
    bytes: Arc<Semaphore>,
    total: usize,
    exchanges: Arc<Semaphore>,
    /// Requests at once that the operator wants; `None`: as many as there are places.
    parallel: Option<(u32, Arc<Semaphore>)>,
    open: Arc<AtomicI64>,
    clients: Arc<Semaphore>,
    owing: AtomicI64,
}

/// A connection that owes an answer: its first head is awaited, or a request is being answered.
pub struct Owing<'a>(&'a AtomicI64);

/// One exchange in progress. Dropping it gives back its place and its bytes.
pub struct Place {
    _exchange: OwnedSemaphorePermit,
    _parallel: Option<OwnedSemaphorePermit>,
    bytes: Option<OwnedSemaphorePermit>,
    pool: Arc<Semaphore>,
    open: Arc<AtomicI64>,
}

/// Semaphores count 32-bit permits; a permit is one KiB.
const UNIT: usize = 1024;

impl Limits {
    /// `inflight_bytes`: request and response bytes held at one time; `exchanges`: requests in progress; `clients`:
    /// connections, idle ones included.
    pub fn new(inflight_bytes: usize, exchanges: usize, clients: usize) -> Self {
        let total = (inflight_bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            bytes: Arc::new(Semaphore::new(total)),
            total,
            exchanges: Arc::new(Semaphore::new(exchanges.clamp(1, Semaphore::MAX_PERMITS))),
            parallel: None,
            open: Arc::new(AtomicI64::new(0)),
            clients: Arc::new(Semaphore::new(clients.clamp(1, Semaphore::MAX_PERMITS))),
            owing: AtomicI64::new(0),
        }
    }

    /// The same, with a limit of requests at once beyond which clients are told 429 instead of 503.
    #[must_use]
    pub fn at_most(self, parallel: Option<u32>) -> Self {
        let permits = |most: u32| usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { parallel: parallel.map(|most| (most, Arc::new(Semaphore::new(permits(most))))), ..self }
    }

    /// Room for one more client connection, given back when dropped.
    pub fn client(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.clients).try_acquire_owned().ok()
    }

    /// Notes that a connection owes an answer, until it is dropped.
    pub fn owe(&self) -> Owing<'_> {
        self.owing.fetch_add(1, Ordering::Relaxed);
        Owing(&self.owing)
    }

    /// Whether anybody waits for an answer of this process.
    pub fn is_idle(&self) -> bool {
        self.open() <= 0 && self.owing.load(Ordering::Relaxed) <= 0
    }

    /// A place for one exchange, or the advice to come back.
    ///
    /// # Errors
    /// 429 beyond the operator's limit of requests at once, 503 beyond what this process holds.
    pub fn enter(&self) -> Result<Place, ApiError> {
        let parallel = self.parallel.as_ref().map(one_of).transpose()?;
        let exchange =
            Arc::clone(&self.exchanges).try_acquire_owned().map_err(|_| shed("requests in progress"))?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Place {
            _exchange: exchange,
            _parallel: parallel,
            bytes: None,
            pool: Arc::clone(&self.bytes),
            open: Arc::clone(&self.open),
        })
    }

    pub fn open(&self) -> i64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Bytes held right now.
    pub fn inflight(&self) -> i64 {
        let used = self.total.saturating_sub(self.bytes.available_permits());
        i64::try_from(used * UNIT).unwrap_or(i64::MAX)
    }
}

impl Place {
    /// Sets `bytes` more aside for this exchange.
    pub fn hold(&mut self, bytes: usize) -> Result<(), ApiError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let more =
            Arc::clone(&self.pool).try_acquire_many_owned(units).map_err(|_| shed("memory for bodies"))?;
        match &mut self.bytes {
            Some(held) => held.merge(more),
            None => self.bytes = Some(more),
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Owing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn one_of((most, permits): &(u32, Arc<Semaphore>)) -> Result<OwnedSemaphorePermit, ApiError> {
    Arc::clone(permits).try_acquire_owned().map_err(|_| {
        let message = format!(
            "Max parallel request limit reached: this process serves {most} requests at once \
             (general_settings.max_parallel_requests); try again in a moment."
        );
        ApiError::new(Kind::RateLimited, message)
    })
}

fn shed(what: &str) -> ApiError {
    ApiError::new(Kind::Overloaded, format!("The gateway is at its limit of {what}; try again in a moment."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_operators_limit_clients_are_told_429_and_places_come_back() {
        let limits = Limits::new(1 << 20, 3, 10).at_most(Some(2));
        let held = (limits.enter().ok(), limits.enter().ok());
        let refused = limits.enter().err().unwrap();
        assert_eq!((refused.status(), refused.retry_after()), (429, Some(1)), "{refused}");
        assert_eq!(limits.open(), 2);
        drop(held);
        assert!(limits.enter().is_ok());
        let none = Limits::new(1 << 20, 1, 10).at_most(None);
        let _held = none.enter().ok();
        assert_eq!(none.enter().err().unwrap().status(), 503);
    }
}
