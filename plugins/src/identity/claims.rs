//! What a token says of somebody, by the names that the operator gives to claims.

use super::{Fault, refused};
use serde_json::Value;
use weir_core::config::JsonMap;
use weir_core::config::env::Env;
use weir_core::domain::records::Role;

/// Whom a token names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claimed {
    pub(super) user: Option<String>,
    pub(super) email: Option<String>,
    /// Over what is kept of the user.
    pub(super) role: Option<Role>,
    /// The first that there is counts.
    pub(super) teams: Vec<String>,
    /// A user who is not known yet is made.
    pub(super) upsert: bool,
}

/// Teams that are looked up for one token.
const TEAMS: usize = 100;
/// Longer names are no ids.
const LONGEST: usize = 256;
/// LiteLLM's scope of admins.
const ADMIN_SCOPE: &str = "litellm_proxy_admin";

/// Roles that a claim may give.
static ROLES: &[Role] =
    &[Role::ProxyAdmin, Role::ProxyAdminViewer, Role::InternalUser, Role::InternalUserViewer];

fn role_named(name: &str) -> Option<Role> {
    ROLES.iter().copied().find(|role| role.as_str() == name)
}

// --- signed tokens ---

/// Read as `litellm_jwtauth` says.
pub(super) fn of_jwt(settings: &JsonMap, claims: &Value) -> Result<Claimed, Fault> {
    let set = |name: &str| -> Value {
        settings.get(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    };
    let named = |name: &str| set(name).as_str().map(str::to_owned);
    let claimed = |name: &str| named(name).map(|path| all(claims, &path)).unwrap_or_default();
    let email = claimed("user_email_jwt_field").into_iter().next();
    allowed_domain(named("user_allowed_email_domain").as_deref(), email.as_deref())?;
    let mut teams = claimed("team_id_jwt_field");
    teams.extend(claimed("team_ids_jwt_field"));
    teams.extend(named("team_id_default"));
    let mut roles = claimed("user_roles_jwt_field");
    roles.extend(claimed("roles_jwt_field"));
    if let Value::Array(allowed) = set("user_allowed_roles")
        && !roles.iter().any(|role| allowed.iter().any(|one| one == role.as_str()))
    {
        return Err(refused("none of its roles may call"));
    }
    let scope = named("admin_jwt_scope").unwrap_or_else(|| ADMIN_SCOPE.to_owned());
    let is_admin = scopes(claims).contains(&scope);
    let mapped = mapped(&[set("role_mappings"), set("jwt_litellm_role_map")], &roles);
    Ok(Claimed {
        user: claimed("user_id_jwt_field").into_iter().next().filter(|id| is_id(id)),
        email,
        role: if is_admin { Some(Role::ProxyAdmin) } else { mapped },
        teams: ids(teams),
        upsert: set("user_id_upsert") == true,
    })
}

fn allowed_domain(domain: Option<&str>, email: Option<&str>) -> Result<(), Fault> {
    let Some(domain) = domain else { return Ok(()) };
    let own = email.and_then(|email| email.rsplit_once('@')).map(|(_, own)| own);
    if own.is_some_and(|own| own.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    Err(refused("its e-mail address is of another domain"))
}

/// The highest role that a provider's roles stand for: `{role, internal_role}` or `{jwt_role, litellm_role}`.
fn mapped(tables: &[Value], roles: &[String]) -> Option<Role> {
    let rows = tables.iter().filter_map(Value::as_array).flatten();
    let given: Vec<Role> = rows
        .filter(|row| {
            let from = row["role"].as_str().or(row["jwt_role"].as_str()).unwrap_or_default();
            roles.iter().any(|role| role == from)
        })
        .filter_map(|row| role_named(row["internal_role"].as_str().or(row["litellm_role"].as_str())?))
        .collect();
    ROLES.iter().copied().find(|role| given.contains(role))
}

/// `scope` is a text of words, or a list.
fn scopes(claims: &Value) -> Vec<String> {
    let given = all(claims, "scope").into_iter().chain(all(claims, "scp"));
    given.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

// --- answers of a provider ---

/// Read as `OAUTH_USER_*_FIELD_NAME` say. Whoever the provider knows is a user here.
pub(super) fn of_answer(env: &Env, claims: &Value) -> Result<Claimed, Fault> {
    let field = |name: &str, default: &str| all(claims, env.filled(name).unwrap_or(default));
    let id = field("OAUTH_USER_ID_FIELD_NAME", "sub").into_iter().next().filter(|id| is_id(id));
    let roles = field("OAUTH_USER_ROLE_FIELD_NAME", "role");
    let given: Vec<Role> = roles.iter().filter_map(|role| role_named(role)).collect();
    Ok(Claimed {
        user: Some(id.ok_or_else(|| refused("the identity provider does not say whose it is"))?),
        email: all(claims, "email").into_iter().next(),
        role: ROLES.iter().copied().find(|role| given.contains(role)),
        teams: ids(field("OAUTH_USER_TEAM_ID_FIELD_NAME", "team_id")),
        upsert: true,
    })
}

// --- claims ---

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.contains('\0')
}

fn ids(mut all: Vec<String>) -> Vec<String> {
    all.retain(|id| is_id(id));
    all.truncate(TEAMS);
    all
}

/// Texts at a path: one, or those of a list. A name with dots in it counts first.
fn all(claims: &Value, path: &str) -> Vec<String> {
    let found = claims.get(path).or_else(|| path.split('.').try_fold(claims, |at, part| at.get(part)));
    match found {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use weir_core::config::Config;

    fn read(settings: &str, claims: &Value) -> Result<Claimed, Fault> {
        let text = format!("model_list: []\ngeneral_settings: {{litellm_jwtauth: {settings}}}");
        let config = Config::from_text(&text, &Env::default(), &["openai"]).0.unwrap();
        of_jwt(&config.general.jwt, claims)
    }

    #[test]
    fn claims_are_read_by_the_operators_names() {
        let settings = "{user_id_jwt_field: acct.id, team_ids_jwt_field: groups, user_roles_jwt_field: realm.roles, \
                        role_mappings: [{role: llm-admins, internal_role: proxy_admin}], user_id_upsert: true}";
        let claims =
            json!({ "acct": { "id": "a" }, "groups": ["red", "blue"], "realm": { "roles": ["llm-admins"] } });
        let claimed = read(settings, &claims).unwrap_or_default();
        assert_eq!((claimed.user.as_deref(), claimed.role), (Some("a"), Some(Role::ProxyAdmin)));
        assert!(claimed.teams == ["red", "blue"] && claimed.upsert);
    }

    #[test]
    fn p37_only_the_admins_scope_and_mapped_roles_raise_anybody() {
        for (claims, role) in [
            (json!({ "sub": "a", "scope": "openid litellm_proxy_admin" }), Some(Role::ProxyAdmin)),
            (json!({ "sub": "a", "scope": ["litellm_proxy_admin"] }), Some(Role::ProxyAdmin)),
            (json!({ "sub": "a", "scope": "not_litellm_proxy_admin" }), None),
            (json!({ "sub": "a", "role": "proxy_admin", "roles": ["proxy_admin"] }), None),
        ] {
            assert_eq!(read("{}", &claims).unwrap_or_default().role, role, "{claims}");
        }
    }

    #[test]
    fn p37_domains_and_roles_that_are_not_allowed_are_refused() {
        let domain = "{user_email_jwt_field: email, user_allowed_email_domain: work.example}";
        assert!(read(domain, &json!({ "email": "a@work.example" })).is_ok());
        assert!(read(domain, &json!({ "email": "a@evil.example" })).is_err());
        assert!(read(domain, &json!({})).is_err());
        let roles = "{user_roles_jwt_field: roles, user_allowed_roles: [staff]}";
        assert!(read(roles, &json!({ "roles": ["staff"] })).is_ok());
        assert!(read(roles, &json!({ "roles": ["guest"] })).is_err());
    }
}
