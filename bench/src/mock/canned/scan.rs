//! Finding `"name": true` and `"name": false` in a body without parsing it.

use memchr::memmem;

/// `quoted_name` comes with its quotes. Text inside a JSON string cannot match, as its quotes are escaped.
pub(super) fn is_true(body: &[u8], quoted_name: &[u8]) -> bool {
    is(body, quoted_name, b"true")
}

pub(super) fn is_false(body: &[u8], quoted_name: &[u8]) -> bool {
    is(body, quoted_name, b"false")
}

fn is(body: &[u8], quoted_name: &[u8], wanted: &[u8]) -> bool {
    memmem::find_iter(body, quoted_name).any(|at| {
        let rest = body[at + quoted_name.len()..].trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_member_and_nothing_else() {
        for (body, found) in [
            (r#"{"stream":true}"#, true),
            (r#"{"stream" : true}"#, true),
            (r#"{"name":"stream","stream": true}"#, true),
            (r#"{"stream":false}"#, false),
            (r#"{"content":"\"stream\":true"}"#, false),
            (r#"{"stream_options":{"include_usage":true}}"#, false),
            (r#"{"stream""#, false),
            ("", false),
        ] {
            assert_eq!(is_true(body.as_bytes(), b"\"stream\""), found, "{body}");
        }
    }
}
