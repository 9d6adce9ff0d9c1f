//! A test of one callback: an exchange that is made up is told to it, once, and what came of that is told to whoever asked.

use super::desk::Room;
use super::record::{Finished, Record, Told, What};
use super::sinks::Buffers;
use super::{Callback, Callbacks};
use crate::auth::hosts_only;
use crate::said::Heard;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use weir_core::body::JsonBody;
use weir_core::chat::Dialect;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{Entry, Status};
use weir_core::time::{self, Micros};

/// For all requests of a test together.
const WITHIN: Duration = Duration::from_secs(15);
const MODEL: &str = "weir-callback-test";
/// Who is said to have asked, by LiteLLM's example.
const CUSTOMER: &str = "weir:/health/services";
const REQUEST: &str =
    r#"{"model":"weir-callback-test","messages":[{"role":"user","content":"Does this arrive?"}]}"#;
const ANSWER: &str = r#"{"id":"chatcmpl-weir-test","object":"chat.completion","model":"weir-callback-test","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"It does."}}]}"#;

impl Callbacks {
    /// Tells a callback of the configuration of something made up, once. What is sent costs what it costs there.
    /// `None`: the configuration has none of this name.
    ///
    /// The text of a failure is for people, and names hosts alone.
    pub async fn test(&self, name: &str) -> Option<Result<(), String>> {
        let mut all = self.all.iter().chain(&self.audits);
        if let Some(callback) = all.find(|callback| callback.name == name) {
            let told = timeout(WITHIN, Box::pin(callback.tried())).await;
            return Some(told.unwrap_or_else(|_| Err(format!("no answer within {} s", WITHIN.as_secs()))));
        }
        let unusable = self.unusable.iter().find(|(known, _)| known == name);
        unusable.map(|(_, why)| Err(why.clone()))
    }
}

impl Callback {
    async fn tried(&self) -> Result<(), String> {
        let record = made_up().ok_or("there is nothing to tell of")?;
        let told = Told::of(&record, self.silent).await;
        let parcels = self.sink.write(&[told], &mut Buffers::default());
        if parcels.is_empty() {
            return Err(String::from("it has nothing to say of an exchange"));
        }
        for parcel in &parcels {
            self.send(parcel).await.map_err(|refused| hosts_only(&refused.why))?;
        }
        Ok(())
    }
}

fn made_up() -> Option<Record> {
    let entry = entry(time::now());
    let heard = Heard {
        id: entry.id,
        started_at: entry.started_at,
        client: Some(Dialect::OpenAiChat),
        model: String::from(MODEL),
        request: JsonBody::parse(Bytes::from_static(REQUEST.as_bytes())).ok()?,
        answer: Bytes::from_static(ANSWER.as_bytes()),
        hiding: None,
    };
    let room = Room::take(&Arc::default(), 0, usize::MAX)?;
    Some(Record::new(What::Exchange(Box::new(Finished::made_up(entry, heard))), room))
}

/// A success that cost nothing.
fn entry(now: Micros) -> Entry {
    let id = new_entry_id();
    Entry {
        ended_at: Micros(now.0.saturating_add(1_000)),
        call_id: format!("weir-test-{id}"),
        status: Status::Success,
        http_status: 200,
        end_user: Some(String::from(CUSTOMER)),
        model_requested: String::from(MODEL),
        model_group: String::from(MODEL),
        model: String::from(MODEL),
        provider: String::from("weir"),
        user_agent: String::from("weir"),
        ..Entry::begun(id, now, Operation::Chat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::sink;

    /// Every form can tell of it.
    #[tokio::test]
    async fn every_kind_has_something_to_send() {
        let aws = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-real")];
        for (kind, settings) in [
            ("generic_api", "{endpoint: \"http://h.test\"}"),
            ("langfuse", "{langfuse_public_key: pk-x, langfuse_secret_key: sk-x}"),
            ("otel", "{endpoint: \"http://h.test\"}"),
            ("datadog", "{}"),
            ("s3", "{s3_bucket_name: b, s3_region_name: eu-central-1}"),
            ("sqs", "{sqs_queue_url: \"http://h.test/1/q\", sqs_region_name: eu-central-1}"),
            ("dynamodb", "{dynamodb_table_name: t, dynamodb_region_name: eu-central-1}"),
        ] {
            let env = [aws[0], aws[1], ("DD_API_KEY", "dd-x"), ("DD_SITE", "h.test")];
            let sink = sink(kind, settings, &env);
            let record = made_up().unwrap();
            let told = Told::of(&record, false).await;
            let parcels = sink.write(&[told], &mut Buffers::default());
            assert_eq!(parcels.iter().map(|parcel| parcel.records).sum::<usize>(), 1, "{kind}");
        }
    }
}
