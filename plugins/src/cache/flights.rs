//! One of several requests that are the same asks, the others wait for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use weir_core::domain::cached::CachedAnswer;

type Landed = Option<Arc<CachedAnswer>>;

/// Requests under way, by key: as many as there are exchanges at most.
#[derive(Default)]
pub struct Flights(Mutex<HashMap<String, watch::Receiver<Landed>>>);

/// Who asks.
pub enum Turn {
    Lead(Lead),
    Follow(Follow),
}

/// Whoever has it asks, for itself and for those that follow. When it is dropped they go on by themselves.
pub struct Lead {
    key: String,
    flights: Arc<Flights>,
    landed: watch::Sender<Landed>,
}

/// Waits for another's answer.
pub struct Follow(watch::Receiver<Landed>);

impl Flights {
    /// The first one leads until it lands, or is dropped.
    pub fn turn(self: &Arc<Self>, key: &str) -> Turn {
        let mut flying = self.flying();
        if let Some(landing) = flying.get(key) {
            return Turn::Follow(Follow(landing.clone()));
        }
        let (landed, landing) = watch::channel(None);
        flying.insert(key.to_owned(), landing);
        Turn::Lead(Lead { key: key.to_owned(), flights: Arc::clone(self), landed })
    }

    fn flying(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Landed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    /// The answer is there, for all who wait.
    pub fn land(self, answer: Arc<CachedAnswer>) {
        self.landed.send_replace(Some(answer));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.flights.flying().remove(&self.key);
    }
}

impl Follow {
    /// `None`: there is none. Cancel safe.
    pub async fn answer(&mut self) -> Landed {
        self.0.wait_for(Option::is_some).await.ok().and_then(|landed| landed.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use weir_core::domain::usage::{Usage, UsageSource};
    use weir_core::time::Micros;

    fn answer() -> Arc<CachedAnswer> {
        Arc::new(CachedAnswer {
            at: Micros(0),
            until: Micros(1),
            deployment_id: String::from("d"),
            group: String::new(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            body: Bytes::from_static(b"{}"),
        })
    }

    #[tokio::test]
    async fn those_who_follow_have_the_leaders_answer() {
        let flights = Arc::new(Flights::default());
        let Turn::Lead(lead) = flights.turn("a") else { panic!("nobody else is there") };
        let Turn::Follow(mut early) = flights.turn("a") else { panic!("one leads already") };
        assert!(matches!(flights.turn("b"), Turn::Lead(_)), "another key is another flight");
        lead.land(answer());
        assert_eq!(early.answer().await, Some(answer()));
        assert!(matches!(flights.turn("a"), Turn::Lead(_)), "it is over");
    }

    #[tokio::test]
    async fn a_leader_that_fails_lets_the_others_go() {
        let flights = Arc::new(Flights::default());
        let Turn::Lead(lead) = flights.turn("a") else { panic!("nobody else is there") };
        let Turn::Follow(mut follow) = flights.turn("a") else { panic!("one leads already") };
        drop(lead);
        assert_eq!(follow.answer().await, None);
        assert!(flights.flying().is_empty());
    }
}
