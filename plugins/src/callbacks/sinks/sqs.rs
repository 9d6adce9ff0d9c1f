//! `sqs`: a message for each exchange. Source: Amazon SQS API Reference, SendMessage, JSON protocol.

use super::{Buffers, Parcel, Sink, aws};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::record::{Told, What};
use http::Uri;
use serde_json::{Value, json};
use weir_core::config::problems::Problems;

struct Sqs {
    url: Uri,
    queue: String,
}

/// SQS takes 256 KiB with what belongs to a message.
const BYTES: usize = 250 << 10;
const TARGET: &str = "AmazonSQS.SendMessage";
const VERSION: &str = "application/x-amz-json-1.0";

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let Some(queue) = build.text("sqs_queue_url", &["SQS_QUEUE_URL"]) else {
        build.lacks("the queue", "add aws_sqs_callback_params: {sqs_queue_url: …}", problems);
        return None;
    };
    let place = aws::place(build, "sqs_", true, "sqs");
    let own = build.url("sqs_queue_url", &queue, problems)?;
    let usual = format!("{}://{}", own.scheme_str().unwrap_or("https"), own.authority()?);
    let url = aws::endpoint(build, "sqs_endpoint_url", "AWS_ENDPOINT_URL_SQS", &usual, problems)?;
    Some(Made { sink: Box::new(Sqs { url, queue }), door: place.door })
}

impl Sink for Sqs {
    fn write(&self, told: &[Told<'_>], _: &mut Buffers) -> Vec<Parcel> {
        let message = |told| aws::call(&self.url, TARGET, VERSION, self.message(told).to_string(), 1);
        told.iter().map(message).collect()
    }
}

impl Sqs {
    fn message(&self, told: &Told<'_>) -> Value {
        let body = told.text(BYTES);
        if !self.queue.ends_with(".fifo") {
            return json!({ "QueueUrl": self.queue, "MessageBody": body });
        }
        let id = match &told.record.what {
            What::Exchange(finished) => finished.entry.id.to_string(),
            What::Audit(entry) => entry.id.clone(),
        };
        // One that is sent twice is delivered once.
        json!({ "QueueUrl": self.queue, "MessageBody": body, "MessageGroupId": "weir", "MessageDeduplicationId": id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{sink, written};

    async fn sent(queue: &str, told: &str) -> Value {
        let settings = format!("{{sqs_queue_url: \"{queue}\"}}");
        let parcels = written(sink("sqs", &settings, &[]).as_ref(), &[told]).await;
        assert_eq!(parcels[0].headers["x-amz-target"], TARGET);
        assert_eq!(parcels[0].url, "https://sqs.eu-west-1.amazonaws.com");
        serde_json::from_slice(&parcels[0].body).unwrap()
    }

    #[tokio::test]
    async fn messages_fit_and_are_delivered_once() {
        let queue = "https://sqs.eu-west-1.amazonaws.com/1/q";
        let plain = sent(queue, "success").await;
        assert!(plain["MessageBody"].as_str().unwrap().contains("What is asked"));
        assert!(plain.get("MessageDeduplicationId").is_none());
        let fifo = sent(&format!("{queue}.fifo"), "success").await;
        assert_eq!(fifo["MessageDeduplicationId"], "018bcfe5-687b-7000-8000-000000000001");
        let long = sent(queue, "long").await;
        let body = long["MessageBody"].as_str().unwrap();
        assert!(body.len() < BYTES && body.contains("redacted-by-litellm"), "{}", body.len());
    }
}
