//! Tokens that say nothing themselves: the provider is asked about them, by introspection (RFC 7662) where we are a client
//! with a secret, else at the address that tells about the user.

use super::{Fault, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Request, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use weir_core::config::env::Env;
use weir_core::ports::identity::Fetch;

/// What the provider says of a token.
pub(super) async fn asked(env: &Env, http: &dyn Fetch, token: &str) -> Result<Value, Fault> {
    let request = match (env.filled("OAUTH_TOKEN_INFO_ENDPOINT"), env.filled("GENERIC_USERINFO_ENDPOINT")) {
        (Some(address), _) => introspection(env, address, token),
        (None, Some(address)) => userinfo(address, token),
        (None, None) => {
            let missing = "set OAUTH_TOKEN_INFO_ENDPOINT or GENERIC_USERINFO_ENDPOINT for enable_oauth2_auth";
            return Err(Fault::Unavailable(missing.to_owned()));
        }
    };
    checked(env, fetched(request, http).await?)
}

/// What the provider says of the user whom a token is of, at an address that is said.
pub(super) async fn of_user(env: &Env, http: &dyn Fetch, address: &str, token: &str) -> Result<Value, Fault> {
    checked(env, fetched(userinfo(address, token), http).await?)
}

async fn fetched(request: Result<Request<String>, http::Error>, http: &dyn Fetch) -> Result<Value, Fault> {
    let request = request.map_err(|_| refused("it cannot be sent"))?;
    let answer = http.fetch(request).await.map_err(Fault::Unavailable)?;
    match answer.status {
        200 => {}
        400..=499 => return Err(refused("the identity provider does not know it")),
        status => return Err(Fault::Unavailable(format!("the identity provider answered {status}"))),
    }
    serde_json::from_slice(&answer.body).map_err(|e| Fault::Unavailable(format!("its answer: {e}")))
}

/// A token that is not active is none; one for somebody else is not for us.
fn checked(env: &Env, told: Value) -> Result<Value, Fault> {
    if told.get("active").is_some_and(|active| active != true) {
        return Err(refused("it is not active"));
    }
    let Some(wanted) = env.filled("JWT_AUDIENCE") else { return Ok(told) };
    let ours = match &told["aud"] {
        // Details of a user have no audience.
        Value::Null => told.get("active").is_none(),
        Value::Array(all) => all.iter().any(|one| one == wanted),
        one => one == wanted,
    };
    if ours { Ok(told) } else { Err(refused("it is for another audience")) }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn introspection(env: &Env, address: &str, token: &str) -> Result<Request<String>, http::Error> {
    let mut request = Request::post(address)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let (Some(id), Some(secret)) = (env.filled("OAUTH_CLIENT_ID"), env.filled("OAUTH_CLIENT_SECRET")) {
        let basic = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
    } else {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(format!("token={}", encoded(token)))
}

fn userinfo(address: &str, token: &str) -> Result<Request<String>, http::Error> {
    Request::get(address)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn p37_only_active_tokens_for_us_count() {
        let env = Env::of([("JWT_AUDIENCE", "weir")]);
        for (told, ok) in [
            (json!({ "active": true, "aud": "weir" }), true),
            (json!({ "active": true, "aud": ["x", "weir"] }), true),
            (json!({ "active": true, "aud": "x" }), false),
            (json!({ "active": true }), false),
            (json!({ "active": false, "aud": "weir" }), false),
            (json!({ "active": "true", "aud": "weir" }), false),
            (json!({ "sub": "a" }), true),
        ] {
            assert_eq!(checked(&env, told.clone()).is_ok(), ok, "{told}");
        }
    }
}
