//! `dynamodb`: an item for each exchange. Source: Amazon DynamoDB API Reference, PutItem. The table's key is `id`, a text.

use super::{Buffers, Parcel, Sink, aws};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::payload;
use crate::callbacks::record::{Exchanged, Told};
use http::Uri;
use serde_json::{Map, Value, json};
use weir_core::config::problems::Problems;

struct Dynamo {
    url: Uri,
    table: String,
}

/// An item is 400 KB at most, names and all.
const BYTES: usize = 380 << 10;
const TARGET: &str = "DynamoDB_20120810.PutItem";
const VERSION: &str = "application/x-amz-json-1.0";

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let Some(table) = build.text("dynamodb_table_name", &["DYNAMODB_TABLE_NAME"]) else {
        build.lacks("the table", "set dynamodb_table_name in litellm_settings", problems);
        return None;
    };
    let aws::Place { door, region } = aws::place(build, "dynamodb_", false, "dynamodb");
    let usual = format!("https://dynamodb.{region}.{}", aws::domain(&region));
    let variable = "AWS_ENDPOINT_URL_DYNAMODB";
    let url = aws::endpoint(build, "dynamodb_endpoint_url", variable, &usual, problems)?;
    Some(Made { sink: Box::new(Dynamo { url, table }), door })
}

impl Sink for Dynamo {
    fn write(&self, told: &[Told<'_>], _: &mut Buffers) -> Vec<Parcel> {
        let item = |told: &Told<'_>| {
            let item = item(told.exchange.as_ref()?, told.text(BYTES));
            let body = json!({ "TableName": self.table, "Item": item }).to_string();
            Some(aws::call(&self.url, TARGET, VERSION, body, 1))
        };
        told.iter().filter_map(item).collect()
    }

    fn takes_audits(&self) -> bool {
        false
    }
}

/// What is looked for by itself, and the whole payload as text. Amounts are decimal text in DynamoDB anyway.
fn item(x: &Exchanged<'_>, payload: String) -> Map<String, Value> {
    let entry = x.entry();
    let owner = entry.user_id.as_deref().filter(|_| x.finished.known_caller().is_some());
    let (start, end) = (entry.started_at.rfc3339(), entry.ended_at.rfc3339());
    let texts = [
        ("id", payload::id(entry)),
        ("litellm_call_id", entry.call_id.as_str()),
        ("call_type", entry.operation.row().call_type),
        ("startTime", start.as_str()),
        ("endTime", end.as_str()),
        ("status", payload::status(entry)),
        ("model", payload::model(entry)),
        ("user", owner.unwrap_or_default()),
        ("payload", payload.as_str()),
    ]
    .map(|(name, text)| (name.to_owned(), json!({ "S": text })));
    let numbers = [
        ("response_cost", entry.cost.to_string()),
        ("prompt_tokens", entry.usage.input.to_string()),
        ("completion_tokens", entry.usage.output.to_string()),
    ]
    .map(|(name, number)| (name.to_owned(), json!({ "N": number })));
    texts.into_iter().chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{sink, written};

    #[tokio::test]
    async fn an_item_has_exact_amounts() {
        let env = [("AWS_REGION", "eu-central-1")];
        let sink = sink("dynamodb", "{dynamodb_table_name: spend}", &env);
        let parcels = written(sink.as_ref(), &["cancelled"]).await;
        assert_eq!(parcels[0].url, "https://dynamodb.eu-central-1.amazonaws.com");
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        assert_eq!(body["TableName"], "spend");
        assert_eq!(body["Item"]["id"]["S"], "chatcmpl-1");
        assert_eq!(body["Item"]["response_cost"]["N"], "0.0000975");
        assert_eq!(body["Item"]["status"]["S"], "failure");
    }
}
