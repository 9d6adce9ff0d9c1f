use super::{FAILED, Watch, key_in_protocols, model_in_query};
use http::HeaderMap;
use serde_json::{Value, json};
use std::io::Cursor;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};
use weir_core::domain::usage::Usage;

fn frame(payload: &[u8], code: OpCode, is_last: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let header = FrameHeader { opcode: code, is_final: is_last, ..FrameHeader::default() };
    Frame::from_payload(header, payload.to_vec().into()).format(&mut out).unwrap();
    out
}

fn text(message: &Value) -> Vec<u8> {
    frame(message.to_string().as_bytes(), OpCode::Data(Data::Text), true)
}

fn done(input: u64) -> Value {
    json!({ "type": "response.done", "response": { "id": "resp_1", "usage": {
        "total_tokens": input + 50, "input_tokens": input, "output_tokens": 50,
        "input_token_details": { "text_tokens": 20, "audio_tokens": 60, "cached_tokens": 30,
            "cached_tokens_details": { "text_tokens": 10, "audio_tokens": 20 } },
        "output_token_details": { "text_tokens": 10, "audio_tokens": 40 } } } })
}

/// What is null costs nothing, and hides nothing.
#[test]
fn p12_a_count_of_a_session_that_is_null_hides_no_other() {
    let usage = json!({"input_tokens": 80, "output_tokens": null, "output_token_details": null,
        "input_token_details": { "audio_tokens": null, "cached_tokens": 30, "cached_tokens_details": null } });
    let done = text(&json!({ "type": "response.done", "response": { "usage": usage } }));
    let (_, usage) = learned(&[&done]);
    assert_eq!(usage, Some(Usage { input: 80, cache_read: 30, ..Usage::default() }));
}

/// A session with messages of all kinds, one of them in three frames with a ping between.
fn session() -> Vec<u8> {
    let second = done(200).to_string();
    let (a, rest) = second.as_bytes().split_at(40);
    let (b, c) = rest.split_at(90);
    [
        text(&json!({ "type": "session.created", "session": { "id": "sess_1" } })),
        text(&json!({ "type": "response.output_audio.delta", "delta": "A".repeat(70_000) })),
        frame(&[0, 159, 146, 150], OpCode::Data(Data::Binary), true),
        text(&done(80)),
        frame(a, OpCode::Data(Data::Text), false),
        frame(b"?", OpCode::Control(Control::Ping), true),
        frame(b, OpCode::Data(Data::Continue), false),
        frame(c, OpCode::Data(Data::Continue), true),
        // Told by the model, not by the API.
        text(&json!({ "type": "response.output_text.done", "text": "response.done" })),
        text(&json!({ "type": "response.done", "response": { "usage": null } })),
        frame(b"\x03\xe8bye", OpCode::Control(Control::Close), true),
    ]
    .concat()
}

fn learned(pieces: &[&[u8]]) -> (Option<String>, Option<Usage>) {
    let mut watch = Watch::default();
    pieces.iter().for_each(|piece| watch.see(piece));
    assert!(watch.at_boundary());
    watch.learned()
}

#[test]
fn p12_a_session_costs_what_all_its_responses_used() {
    let expected = Usage {
        input: 280,
        output: 100,
        cache_read: 60,
        audio_cache_read: 40,
        audio_input: 80,
        audio_output: 80,
        ..Usage::default()
    };
    assert_eq!(learned(&[&session()]), (Some("sess_1".to_owned()), Some(expected)));
}

#[test]
fn p24_a_session_cut_anywhere_is_read_the_same() {
    let bytes = session();
    let whole = learned(&[&bytes]);
    // The long audio message is the same wherever it is cut.
    for at in (0..bytes.len()).filter(|at| *at < 300 || *at > 69_900 || at % 997 == 0) {
        let (a, b) = bytes.split_at(at);
        assert_eq!(learned(&[a, b]), whole, "cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(learned(&single), whole);
}

#[test]
fn p26_what_is_no_websocket_is_not_read_and_not_kept() {
    let mut seed = 1_u64;
    for _ in 0..2_000 {
        let mut watch = Watch::default();
        for _ in 0..20 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            watch.see(&seed.to_be_bytes());
        }
        assert_eq!(watch.learned().1, None);
    }
    // A message that never ends: its usage is lost, its bytes are not kept.
    let mut watch = Watch::default();
    watch.see(&frame(&[b'x'; 64], OpCode::Data(Data::Text), false));
    for _ in 0..64 {
        watch.see(&frame(&vec![b'x'; 1 << 16], OpCode::Data(Data::Continue), false));
    }
    watch.see(&frame(done(1).to_string().as_bytes(), OpCode::Data(Data::Continue), true));
    watch.see(&text(&done(7)));
    assert_eq!(watch.learned().1.map(|usage| usage.input), Some(7), "the next message is read again");
}

#[test]
fn the_last_word_of_a_broken_session_is_a_close_frame() {
    let mut bytes = Cursor::new(FAILED);
    let (header, length) = FrameHeader::parse(&mut bytes).unwrap().unwrap();
    assert_eq!(header.opcode, OpCode::Control(Control::Close));
    assert_eq!(FAILED.len() as u64 - bytes.position(), length);
    assert_eq!(FAILED[2..4], 1011_u16.to_be_bytes());
}

#[test]
fn model_and_key_are_found_where_clients_put_them() {
    assert_eq!(model_in_query("intent=x&model=gpt%2Drealtime"), Some("gpt-realtime".to_owned()));
    assert_eq!(model_in_query("api-version=1&deployment=voice"), Some("voice".to_owned()));
    assert_eq!(model_in_query("model="), None);
    let mut headers = HeaderMap::new();
    let offered = "realtime, openai-insecure-api-key.sk-browser, openai-beta.realtime-v1";
    headers.insert("sec-websocket-protocol", offered.parse().unwrap());
    assert_eq!(key_in_protocols(&headers), Some("sk-browser"));
}
