//! What the provider got.

use super::told::clean;
use crate::rig::Rig;
use serde_json::{Value, json};

/// The provider got the same path, credential and body; a stream is asked for its usage beside.
pub fn compare(rig: &Rig, expected: &Value) -> Vec<String> {
    let seen = rig.mock.take_log();
    let expected = expected.as_array().cloned().unwrap_or_default();
    if seen.len() != expected.len() {
        return vec![format!("{} requests upstream instead of {}", seen.len(), expected.len())];
    }
    let mut wrong = Vec::new();
    for (seen, expected) in seen.iter().zip(&expected) {
        if expected["path"] != seen.path {
            wrong.push(format!("path {} instead of {}", seen.path, expected["path"]));
        }
        let mut want = expected["body"].clone();
        if want["stream"] == true {
            want["stream_options"] = json!({"include_usage": true});
        }
        let mut got = seen.json();
        // LiteLLM names Azure's deployment in the path alone or in both; the path decides.
        if seen.path.starts_with("/openai/deployments/") {
            got.as_object_mut().map(|o| o.remove("model"));
            want.as_object_mut().map(|o| o.remove("model"));
        }
        if let Some(members) = want.as_object_mut() {
            members.retain(|k, v| !(k == "stream" && *v == false));
        }
        let (got, want) = (clean(&got), clean(&want));
        if got != want {
            wrong.push(format!("sent {got} instead of {want}"));
        }
    }
    wrong
}
