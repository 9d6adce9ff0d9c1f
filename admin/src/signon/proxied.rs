//! A proxy in front, such as oauth2-proxy, that says in headers who is there. It is believed only from the addresses that
//! the operator names; whatever a browser writes into these headers counts for nothing.

use super::password;
use super::sessions::{self, Who};
use super::sso::{self, Person, people};
use crate::context::Context;
use crate::error::Refusal;
use axum::http::HeaderMap;
use weir_core::access::origin;
use weir_core::config::Config;
use weir_core::domain::records::SignedBy;

/// Headers of oauth2-proxy, where `oauth2_config_mappings` names no others. The first that is there counts.
static USER: &[&str] = &["x-forwarded-preferred-username", "x-forwarded-user"];
static EMAIL: &[&str] = &["x-forwarded-email"];
static GROUPS: &[&str] = &["x-forwarded-groups"];

/// The cookie of a session for whoever the proxy names, unless the browser has one for the same user. `None`: no proxy
/// said anything that counts.
///
/// # Errors
/// 403 for who may not use the UI.
pub(crate) async fn sign_in(context: &Context, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let config = (context.services.config)();
    if !config.general.enable_oauth2_proxy_auth || !trusted(&config, headers) {
        return Ok(None);
    }
    let Some(person) = person(&config, headers) else { return Ok(None) };
    let user = people::user(context, &person).await?;
    let current = sessions::current(&context.services, headers).await;
    if current.is_some_and(|(_, known)| known.key.user_id.as_ref() == Some(&user.id)) {
        return Ok(None);
    }
    let who = Who::User(Box::new(user));
    password::admitted(context, &who)?;
    let begun = sessions::begin(context, headers, &who, SignedBy::Proxy, None).await?;
    Ok(Some(sessions::cookie_of(context, headers, &begun)))
}

/// The peer itself, never an address that somebody wrote into a header.
fn trusted(config: &Config, headers: &HeaderMap) -> bool {
    let peer = origin::address(headers, origin::PEER);
    peer.is_some_and(|peer| config.weir.identity_proxies.iter().any(|net| net.contains(&peer)))
}

fn person(config: &Config, headers: &HeaderMap) -> Option<Person> {
    let named = |field: &str| -> Option<String> {
        serde_json::from_str(config.general.oauth2_headers.get(field)?).ok()
    };
    let value = |field: &str, usual: &[&str]| {
        let own = named(field);
        let names: Vec<&str> = own.as_deref().map_or_else(|| usual.to_vec(), |own| vec![own]);
        let found = names.into_iter().find_map(|name| headers.get(name)?.to_str().ok());
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let name = |group: &str| group.trim().trim_start_matches('/').to_owned();
    Some(Person {
        id: value("user_id", USER)?,
        email: value("user_email", EMAIL),
        // The proxy has seen to it.
        email_verified: true,
        role: value("user_role", &[]).as_deref().and_then(sso::role_named),
        groups: value("groups", GROUPS).map(|groups| groups.split(',').map(name).collect()),
        ..Person::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::config::env::Env;

    fn config(text: &str) -> Config {
        let text = format!("model_list: []\n{text}");
        Config::from_text(&text, &Env::default(), &["openai"]).0.unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn p37_only_named_proxies_are_believed() {
        let config = config("weir_settings: {identity_proxies: [10.1.0.0/16]}");
        for (peer, ok) in [("10.1.2.3", true), ("10.2.0.1", false), ("", false)] {
            assert_eq!(trusted(&config, &headers(&[("x-weir-peer", peer)])), ok, "{peer}");
        }
        let forged = headers(&[("x-weir-peer", "192.0.2.1"), ("x-forwarded-for", "10.1.2.3")]);
        assert!(!trusted(&config, &forged));
    }

    #[test]
    fn headers_are_oauth2_proxys_or_the_operators() {
        let usual = headers(&[
            ("x-forwarded-user", "subject"),
            ("x-forwarded-preferred-username", "ann"),
            ("x-forwarded-email", "ann@work.example"),
            ("x-forwarded-groups", "/red, blue"),
        ]);
        let ann = person(&config(""), &usual).unwrap();
        assert_eq!((ann.id.as_str(), ann.groups.map(|groups| groups.len())), ("ann", Some(2)));
        assert_eq!(ann.role, None);
        let own = config("general_settings: {oauth2_config_mappings: {user_id: x-who, user_role: x-role}}");
        assert!(person(&own, &usual).is_none());
        let ann = person(&own, &headers(&[("x-who", "ann"), ("x-role", "proxy_admin_viewer")])).unwrap();
        assert_eq!(ann.role.map(|role| role.as_str()), Some("proxy_admin_viewer"));
    }
}
