use super::*;

fn fields(body: &str) -> Fields {
    Fields::parse(body.as_bytes()).ok().unwrap()
}

fn problems(refusal: Refusal) -> Vec<(&'static str, Vec<Value>)> {
    match refusal {
        Refusal::Invalid(problems) => problems.into_iter().map(|p| (p.kind, p.at)).collect(),
        other => panic!("{}", other.message()),
    }
}

#[test]
fn values_are_taken_in_every_form_that_clients_send() {
    for (shape, sent, canonical) in [
        (Shape::Text, r#""a""#, r#""a""#),
        (Shape::Number, "0.1", "0.1"),
        (Shape::Number, "1E-7", "0.0000001"),
        (Shape::Number, r#"" 50 ""#, "50"),
        (Shape::Integer, "1000", "1000"),
        (Shape::Integer, "10.0", "10"),
        (Shape::Integer, r#""5""#, "5"),
        (Shape::Flag, "true", "true"),
        (Shape::Flag, r#""False""#, "false"),
        (Shape::List, "[1, {}]", "[1, {}]"),
        (Shape::Texts, r#"[ "a" ]"#, r#"["a"]"#),
        (Shape::Object, r#"{"n": 18446744073709551616.10}"#, r#"{"n": 18446744073709551616.10}"#),
        (Shape::OneOf(&["a", "b"]), r#""b""#, r#""b""#),
        (Shape::Moment, r#""2026-11-25""#, r#""2026-11-25T00:00:00.000000Z""#),
        (Shape::Moment, r#""2026-11-25T12:00:00+02:00""#, r#""2026-11-25T10:00:00.000000Z""#),
    ] {
        let mut sent = fields(&format!(r#"{{"x": {sent}}}"#));
        assert_eq!(sent.take("x", shape).unwrap().get(), canonical, "{shape:?}");
        assert!(sent.finish().is_ok());
    }
}

#[test]
fn what_does_not_fit_is_named_as_litellm_names_it() {
    for (shape, sent, kind) in [
        (Shape::Text, "5", "string_type"),
        (Shape::Text, r#""a\u0000""#, "value_error"),
        (Shape::Number, r#""abc""#, "float_parsing"),
        (Shape::Number, "true", "float_type"),
        (Shape::Number, "1e300", "value_error"),
        (Shape::Integer, "1.5", "int_from_float"),
        (Shape::Integer, r#""x""#, "int_parsing"),
        (Shape::Integer, "[]", "int_type"),
        (Shape::Flag, "[true]", "bool_parsing"),
        (Shape::List, "{}", "list_type"),
        (Shape::Texts, r#""sk-a""#, "list_type"),
        (Shape::Object, "[]", "dict_type"),
        (Shape::OneOf(&["a"]), r#""c""#, "literal_error"),
        (Shape::Moment, r#""soon""#, "datetime_parsing"),
        (Shape::Moment, "7", "datetime_parsing"),
    ] {
        let mut sent = fields(&format!(r#"{{"x": {sent}}}"#));
        assert!(sent.take("x", shape).is_none(), "{shape:?}");
        assert_eq!(
            problems(sent.finish().unwrap_err()),
            [(kind, vec!["body".into(), "x".into()])],
            "{shape:?}"
        );
    }
}

#[test]
fn all_problems_come_at_once_with_their_place() {
    let mut sent = fields(r#"{"models": ["a", 5], "user_id": 7, "unknown": {}}"#);
    assert!(sent.texts("models").is_empty() && sent.text("user_id").is_none());
    let found = problems(sent.finish().unwrap_err());
    assert_eq!(found[0], ("string_type", vec!["body".into(), "models".into(), 1.into()]));
    assert_eq!(found[1], ("string_type", vec!["body".into(), "user_id".into()]));
}

#[test]
fn what_is_no_object_is_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, kind) in [
        ("", "missing"),
        ("{bad", "json_invalid"),
        ("{\"a\": \"\u{1}\"}", "json_invalid"),
        ("[]", "model_attributes_type"),
        ("\"sk-a\"", "model_attributes_type"),
        ("null", "model_attributes_type"),
        (&deep, "model_attributes_type"),
    ] {
        let refusal = Fields::parse(body.as_bytes()).err().unwrap();
        assert_eq!(problems(refusal)[0].0, kind, "{:.40}", body);
    }
    let deep = format!(r#"{{"x": {{"a": {}{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(fields(&deep).take("x", Shape::Object).is_none());
    assert!(Fields::parse(b"{\"a\": \"\xff\"}").is_err());
}

#[test]
fn the_place_of_broken_json_is_its_byte() {
    for (body, place) in [("{bad", 1), ("{\"a\": 1,\n\"b\": x}", 14)] {
        let refusal = Fields::parse(body.as_bytes()).err().unwrap();
        assert_eq!(problems(refusal)[0].1, [Value::from("body"), Value::from(place)], "{body}");
    }
}

#[test]
fn parameters_may_be_missing_empty_or_twice() {
    let pairs = [("a", "1"), ("a", "2"), ("b", ""), ("c", "x"), ("d", "0"), ("e", "FALSE")];
    let params = Params(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    assert_eq!(params.get("a"), Some("2"));
    assert_eq!(params.get("b"), None);
    assert_eq!(params.positive("a").unwrap(), Some(2));
    assert_eq!(params.flag("e").unwrap(), Some(false));
    for (name, kind) in [("c", "int_parsing"), ("d", "greater_than_equal")] {
        let found = problems(params.positive(name).unwrap_err());
        assert_eq!(found, [(kind, vec!["query".into(), name.into()])]);
    }
    assert_eq!(problems(params.flag("c").unwrap_err())[0].0, "bool_parsing");
}
