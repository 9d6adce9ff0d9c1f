use super::*;
use crate::seal::Sealer;
use bytes::Bytes;
use std::sync::Arc;

fn names() -> Names {
    let origin = Origin {
        deployment: "d\"1".into(),
        group: "ü".into(),
        owner: KeyHash::of("sk-a"),
        upstream: String::new(),
    };
    Names { sealer: Arc::new(Sealer::new("secret")), origin }
}

#[test]
fn p26_an_id_tells_where_the_response_is_to_its_makers_alone() {
    let origin = Origin { upstream: "resp_1".into(), ..names().origin };
    let id = names().seal("resp_1").unwrap();
    assert_eq!(Origin::open(&Sealer::new("secret"), &id), Some(origin));
    assert_eq!(Origin::open(&Sealer::new("other"), &id), None);
    for end in 0..id.len() {
        assert_eq!(Origin::open(&Sealer::new("secret"), &id[..end]), None);
    }
}

#[test]
fn only_the_ids_of_a_response_are_renamed() {
    let event = |id: &str| {
        format!(
            "event: response.completed\nid: 7\ndata: {{\"type\": \"response.completed\",\"response\" : {{ \"id\":\"{id}\", \
             \"output\":[{{\"id\":\"resp_1\",\"text\":\"\\\"resp_1\"}}],\"previous_response_id\":null}}, \"n\":1.0}}\n\n"
        )
    };
    let delta = "event: response.output_text.delta\ndata: {\"delta\":\"\\\"response\\\" resp_1\"}\n\n";
    let block = Bytes::from([delta, &event("resp_1"), delta].concat());
    let renamed = names().events(block);
    let client = names().seal("resp_1").unwrap();
    assert_eq!(std::str::from_utf8(&renamed).unwrap(), [delta, &event(&client), delta].concat());
}

#[test]
fn data_of_several_lines_and_junk_do_no_harm() {
    let block = "event: response.created\ndata: {\"response\":\ndata: {\"id\":\"resp_1\"}}\n\n";
    let renamed = names().events(Bytes::from(block));
    let client = names().seal("resp_1").unwrap();
    let text = std::str::from_utf8(&renamed).unwrap();
    assert!(text.contains(&client) && text.lines().count() == 3, "{text}");
    for end in 0..block.len() {
        names().events(Bytes::from(&block[..end]));
    }
    for body in ["", "[]", "{\"id\":5,\"object\":\"response\"}", "{\"object\":\"list\",\"id\":\"resp_1\"}"] {
        assert_eq!(names().whole(Bytes::from(body)), body);
    }
}
