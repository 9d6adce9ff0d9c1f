//! One mock process for all cases: its options change between two visits.
//!
//! A gateway knows one upstream URL, so a case cannot choose its mock by the path. `GET /__options?pace_us=5000` puts
//! options in force for every later request; pairs that are left out fall back to what the process was started with.
//! Beside them it is the receiver of a webhook, see `sink.rs`.

use std::sync::{Arc, PoisonError, RwLock};

use crate::mock::canned::{Canned, Options};
use crate::mock::{Reply, Seen, Upstream};
use crate::sink::{self, Sink};
use serde_json::json;

/// Where the options are put.
pub const PATH: &str = "/__options";

/// A [`Canned`] provider that can be exchanged.
pub struct Switch {
    base: Options,
    now: RwLock<Arc<Canned>>,
    sink: Sink,
}

// --- impl Switch ---

impl Switch {
    pub fn new(base: Options) -> Switch {
        let now = RwLock::new(Arc::new(Canned::new(base.clone())));
        Switch { base, now, sink: Sink::default() }
    }

    fn current(&self) -> Arc<Canned> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn exchange(&self, pairs: &str) -> Reply {
        let options = if pairs.is_empty() { Some(self.base.clone()) } else { self.base.with(pairs) };
        let Some(options) = options else {
            return Reply::json(400, &json!({"error": "unknown option"}));
        };
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Canned::new(options));
        Reply::json(200, &json!({"ok": true}))
    }
}

impl Upstream for Switch {
    fn answer(&self, seen: &Seen) -> Reply {
        if seen.route() == PATH {
            return self.exchange(seen.path.split_once('?').map_or("", |(_, pairs)| pairs));
        }
        if seen.route() == sink::PATH {
            return self.sink.answer(seen);
        }
        self.current().answer(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Client, Expect, Plan};
    use crate::mock::MockServer;

    #[tokio::test]
    async fn options_hold_until_the_next_switch() {
        let mock = MockServer::start(Switch::new(Options::default())).await.unwrap();
        let mut client = Client::new();
        for (pairs, chunks) in [("", 64), ("?chunks=3", 3), ("?chunks=5&pace_us=1", 5), ("", 64)] {
            let path = format!("{PATH}{pairs}");
            client.exchange(&Plan::get(mock.addr(), &path, "", Expect::Status(200))).await.unwrap();
            let expect = Expect::Stream { chunks };
            let ask = Plan::post(mock.addr(), "/v1/chat/completions", "", br#"{"stream":true}"#, expect);
            client.exchange(&ask).await.unwrap();
        }
        let bad = Plan::get(mock.addr(), "/__options?chonks=3", "", Expect::Status(400));
        client.exchange(&bad).await.unwrap();
    }
}
