//! Which customer a request's body names.

use bytes::Bytes;
use std::borrow::Cow;
use weir_core::body::JsonBody;

/// Where LiteLLM looks when there is no `user`: an object, and its member. Anthropic's clients say `metadata.user_id`.
static ELSEWHERE: &[(&str, &str)] = &[("litellm_metadata", "user"), ("metadata", "user_id")];

/// The body's `user`, else who its metadata name. Empty texts name nobody.
pub fn of_body(body: &JsonBody) -> Option<String> {
    let user = body.string("user").filter(|name| !name.is_empty()).map(Cow::into_owned);
    user.or_else(|| ELSEWHERE.iter().find_map(|(object, member)| inside(body.raw(object)?, member)))
}

fn inside(object: &str, member: &str) -> Option<String> {
    if !object.contains(member) {
        return None; // most of them: not read
    }
    let object = JsonBody::parse(Bytes::copy_from_slice(object.as_bytes())).ok()?;
    object.string(member).filter(|name| !name.is_empty()).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_found_wherever_clients_name_one() {
        for (body, customer) in [
            (r#"{"user":"u"}"#, Some("u")),
            (r#"{"user":"u","metadata":{"user_id":"m"}}"#, Some("u")),
            (r#"{"user":"","metadata":{"user_id":"m"}}"#, Some("m")),
            (r#"{"metadata":{"user_id":"m"}}"#, Some("m")),
            (r#"{"metadata":{"user_id":"m"},"litellm_metadata":{"user":"l"}}"#, Some("l")),
            (r#"{"metadata":{"user_id":7}}"#, None),
            (r#"{"metadata":"user_id"}"#, None),
            (r#"{"metadata":{"deep":{"user_id":"m"}}}"#, None),
            (r#"{"user":["u"]}"#, None),
        ] {
            let parsed = JsonBody::parse(Bytes::from_static(body.as_bytes())).unwrap();
            assert_eq!(of_body(&parsed).as_deref(), customer, "{body}");
        }
    }
}
