//! One request, ready to be sent any number of times, and what its answer must look like.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem;

use super::wire::Head;
use crate::mock::canned::MARK;

/// What an answer must be to count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Status 200 and a whole JSON object with `choices`.
    Json,
    /// Status 200, exactly so many events with a `delta`, and `[DONE]` at the end.
    Stream { chunks: usize },
    /// Status 200 and a whole JSON object that is a message of Anthropic's API.
    Message,
    /// Status 200, the text of a canned stream with so many marks, and `end` at the end.
    Text { marks: usize, end: &'static str },
    /// Status 200; the connection is closed by us after the first piece of the body.
    Cut,
    /// This status, whatever the body.
    Status(u16),
    /// Any whole answer.
    Any,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub addr: SocketAddr,
    /// Head and body as they go over the wire, in one write.
    pub request: Bytes,
    pub expect: Expect,
    /// From the first attempt to write until the last byte.
    pub timeout: Duration,
}

// --- impl Plan ---

impl Plan {
    /// A POST with a JSON body; `key` goes into `Authorization: Bearer` unless it is empty.
    pub fn post(addr: SocketAddr, path: &str, key: &str, body: &[u8], expect: Expect) -> Plan {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\n{}content-type: application/json\r\naccept: */*\r\n\
             user-agent: weir-bench\r\ncontent-length: {}\r\n\r\n",
            authorization(key),
            body.len()
        );
        Plan::new(addr, [head.as_bytes(), body].concat(), expect)
    }

    pub fn get(addr: SocketAddr, path: &str, key: &str, expect: Expect) -> Plan {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\n{}\r\n", authorization(key));
        Plan::new(addr, head.into_bytes(), expect)
    }

    fn new(addr: SocketAddr, request: Vec<u8>, expect: Expect) -> Plan {
        Plan { addr, request: request.into(), expect, timeout: Duration::from_secs(60) }
    }
}

fn authorization(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") }
}

// --- impl Expect ---

impl Expect {
    /// The kind of error, none when the answer is as it must be.
    pub fn complaint(self, head: &Head, body: &[u8]) -> Option<String> {
        let wanted = match self {
            Expect::Any => head.status,
            Expect::Status(status) => status,
            _ => 200,
        };
        if head.status != wanted {
            return Some(status_label(head));
        }
        match self {
            Expect::Json if !is_object_with(body, "\"choices\"") => Some("body_not_a_chat".to_owned()),
            Expect::Message if !is_object_with(body, "\"stop_reason\"") => {
                Some("body_not_a_message".to_owned())
            }
            Expect::Text { end, .. } if !ends_with(body, end) => Some("stream_without_end".to_owned()),
            Expect::Text { marks, .. } if count(body, MARK) != marks => Some("stream_wrong_text".to_owned()),
            Expect::Stream { .. } if !ends_with(body, "data: [DONE]") => {
                Some("stream_without_done".to_owned())
            }
            Expect::Stream { chunks } if count(body, "\"delta\":") != chunks => {
                Some("stream_wrong_chunks".to_owned())
            }
            _ => None,
        }
    }
}

/// A shed request must say when to come back; one that does not is another kind.
fn status_label(head: &Head) -> String {
    let silent = head.status == 503 && !head.retry_after;
    format!("status_{}{}", head.status, if silent { "_no_retry_after" } else { "" })
}

fn is_object_with(body: &[u8], name: &str) -> bool {
    let body = body.trim_ascii();
    body.starts_with(b"{") && body.ends_with(b"}") && memmem::find(body, name.as_bytes()).is_some()
}

/// In the last line that says something, which ends there or with the object that says it.
fn ends_with(body: &[u8], end: &str) -> bool {
    let last = body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    memmem::find(last, end.as_bytes()).is_some()
}

fn count(body: &[u8], text: &str) -> usize {
    memmem::find_iter(body, text).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::wire::Framing;

    #[test]
    fn an_answer_is_judged_by_its_whole_body() {
        const EVENT: &str = "data: {\"choices\":[{\"delta\":{}}]}\n\n";
        let stream = Expect::Stream { chunks: 2 };
        let text = Expect::Text { marks: 1, end: "message_stop" };
        for (expect, status, body, complaint) in [
            (Expect::Json, 200, r#"{"choices":[]}"#.to_owned(), None),
            (Expect::Json, 200, r#"{"choices":[]"#.to_owned(), Some("body_not_a_chat")),
            (Expect::Json, 503, String::new(), Some("status_503_no_retry_after")),
            (Expect::Status(503), 503, String::new(), None),
            (Expect::Message, 200, r#"{"stop_reason":"end_turn"}"#.to_owned(), None),
            (Expect::Message, 200, r#"{"choices":[]}"#.to_owned(), Some("body_not_a_message")),
            (text, 200, "data: \"a model\"\n\ndata: {\"type\":\"message_stop\"}\n\n".to_owned(), None),
            (text, 200, "data: {\"type\":\"message_stop\"}\n\n".to_owned(), Some("stream_wrong_text")),
            (
                text,
                200,
                "data: {\"type\":\"message_stop\"}\n\ndata: \" model".to_owned(),
                Some("stream_without_end"),
            ),
            (stream, 200, format!("{EVENT}{EVENT}data: [DONE]\n\n"), None),
            (stream, 200, format!("{EVENT}{EVENT}"), Some("stream_without_done")),
            (stream, 200, format!("{EVENT}data: [DONE]\n\n"), Some("stream_wrong_chunks")),
        ] {
            let head = Head { status, framing: Framing::Chunked, keep_alive: true, retry_after: false };
            assert_eq!(expect.complaint(&head, body.as_bytes()).as_deref(), complaint, "{body}");
        }
        let shed = Head { status: 503, framing: Framing::Length(0), keep_alive: true, retry_after: true };
        assert_eq!(Expect::Json.complaint(&shed, b"").as_deref(), Some("status_503"));
    }
}
