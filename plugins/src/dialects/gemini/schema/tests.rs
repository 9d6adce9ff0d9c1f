use super::*;

fn check(schema: Value, expected: Value) {
    assert_eq!(to_gemini(&schema), expected, "{schema}");
}

#[test]
fn what_gemini_does_not_know_is_left_out() {
    check(
        json!({ "$schema": "x", "type": "object", "additionalProperties": false, "strict": true,
            "properties": { "a": { "type": "string", "format": "uri", "minLength": 1, "exclusiveMinimum": 0 },
                            "type": { "type": "integer", "format": "int32" } },
            "required": ["a", "ghost"] }),
        json!({ "type": "OBJECT",
            "properties": { "a": { "type": "STRING", "minLength": 1 },
                            "type": { "type": "INTEGER", "format": "int32" } },
            "required": ["a"] }),
    );
}

#[test]
fn constants_and_values_become_texts_to_choose_from() {
    check(json!({ "const": "x" }), json!({ "enum": ["x"], "type": "STRING" }));
    check(
        json!({ "type": ["string", "null"], "enum": ["a", null] }),
        json!({ "nullable": true, "type": "STRING", "enum": ["a"] }),
    );
    check(json!({ "type": "integer", "enum": [1, 2] }), json!({ "type": "INTEGER" }));
    check(json!({ "const": 1 }), json!({ "type": "INTEGER" }));
}

#[test]
fn null_among_alternatives_is_nullable() {
    check(
        json!({ "anyOf": [{ "type": "string" }, { "type": "null" }], "description": "d" }),
        json!({ "nullable": true, "type": "STRING", "description": "d" }),
    );
    check(
        json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
        json!({ "anyOf": [{ "type": "STRING" }, { "type": "INTEGER" }] }),
    );
    check(
        json!({ "type": ["string", "number"] }),
        json!({ "anyOf": [{ "type": "STRING" }, { "type": "NUMBER" }] }),
    );
}

#[test]
fn references_are_put_in_place_and_recursion_ends() {
    check(
        json!({ "type": "object", "$defs": { "P": { "type": "string", "description": "p" } },
            "properties": { "p": { "$ref": "#/$defs/P", "description": "mine" } } }),
        json!({ "type": "OBJECT", "properties": { "p": { "type": "STRING", "description": "mine" } } }),
    );
    check(
        json!({ "allOf": [{ "properties": { "a": { "type": "string" } }, "required": ["a"] },
                          { "properties": { "b": {} } }], "type": "object" }),
        json!({ "type": "OBJECT",
            "properties": { "a": { "type": "STRING" }, "b": { "type": "OBJECT" } }, "required": ["a"] }),
    );
    let wide: Object = (0..9).map(|n| (format!("n{n}"), json!({ "$ref": "#" }))).collect();
    let size = to_gemini(&json!({ "type": "object", "properties": wide })).to_string().len();
    assert!(size < 10_000_000, "{size}");
    to_gemini(&json!({ "$ref": "#" }));
    to_gemini(&json!({ "allOf": [{ "$ref": "#" }] }));
}

#[test]
fn lists_and_anything_get_a_type() {
    check(json!({ "type": "array" }), json!({ "type": "ARRAY", "items": { "type": "OBJECT" } }));
    check(json!({ "items": {} }), json!({ "items": { "type": "OBJECT" }, "type": "ARRAY" }));
    check(json!(true), json!({ "type": "OBJECT" }));
    check(json!(null), json!({ "type": "OBJECT" }));
}

#[test]
fn geminis_schema_is_read_as_json_schema_and_comes_back() {
    let gemini = json!({ "type": "OBJECT", "propertyOrdering": ["type"],
        "properties": { "type": { "type": "STRING", "nullable": true },
                        "list": { "type": "ARRAY", "items": { "type": "INTEGER" } } },
        "required": ["type"] });
    let mut schema = gemini.clone();
    from_gemini(&mut schema);
    assert_eq!(schema["properties"]["type"], json!({ "type": ["string", "null"] }));
    assert_eq!(schema["properties"]["list"]["items"]["type"], "integer");
    assert_eq!(to_gemini(&schema), gemini);
}
