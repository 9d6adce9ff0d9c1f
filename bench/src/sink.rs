//! The receiver of a webhook: counts what it is told, and tells it again.
//!
//! It searches bodies for a name and parses nothing: it shares the machine with what is measured.

use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use memchr::memmem;
use serde_json::json;

use crate::mock::{Reply, Seen};

/// Where a webhook is posted, and where its counts are read.
pub const PATH: &str = "/__sink";

/// Stands once in the record of a request; within texts its quotes are escaped.
const ONCE: &[u8] = b"\"litellm_call_id\":";

#[derive(Debug, Default)]
pub struct Sink {
    posts: AtomicU64,
    records: AtomicU64,
}

// --- impl Sink ---

impl Sink {
    pub(crate) fn answer(&self, seen: &Seen) -> Reply {
        if seen.method == Method::POST {
            self.posts.fetch_add(1, Ordering::Relaxed);
            let records = memmem::find_iter(&seen.body, ONCE).count() as u64;
            self.records.fetch_add(records, Ordering::Relaxed);
        }
        let [posts, records] = [&self.posts, &self.records].map(|count| count.load(Ordering::Relaxed));
        Reply::json(200, &json!({"posts": posts, "records": records}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Client, Expect, Plan};
    use crate::mock::MockServer;
    use crate::mock::canned::Options;
    use crate::switch::Switch;

    #[tokio::test]
    async fn records_are_counted_over_all_posts() {
        let mock = MockServer::start(Switch::new(Options::default())).await.unwrap();
        let mut client = Client::new();
        let two =
            br#"[{"litellm_call_id":"a","messages":"say \"litellm_call_id\": x"},{"litellm_call_id":"b"}]"#;
        for body in [&two[..], br#"{"litellm_call_id":"c"}"#] {
            let post = Plan::post(mock.addr(), PATH, "", body, Expect::Status(200));
            client.exchange(&post).await.unwrap();
        }
        client.exchange(&Plan::get(mock.addr(), PATH, "", Expect::Status(200))).await.unwrap();
        assert_eq!(client.body(), br#"{"posts":2,"records":3}"#);
    }
}
