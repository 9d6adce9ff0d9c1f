//! What an identity provider says of somebody, and what is made of it. Names of claims may be paths:
//! `realm_access.roles`.

use serde_json::Value;
use std::collections::BTreeMap;
use weir_core::config::env::Env;
use weir_core::domain::records::Role;

/// Which claims say what.
pub(super) struct Names {
    /// The first that is there counts.
    id: Vec<String>,
    email: Vec<String>,
    display: Vec<String>,
    first: String,
    last: String,
    role: String,
    groups: String,
    /// Whoever is in no group is told without the claim.
    omits_empty: bool,
    mappings: Mappings,
}

/// Roles by group.
struct Mappings {
    /// Groups of each role.
    roles: BTreeMap<String, Vec<String>>,
    claim: String,
    default: Option<Role>,
}

/// Somebody, as far as the gateway cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::signon) struct Person {
    pub(in crate::signon) id: String,
    pub(in crate::signon) email: Option<String>,
    /// Whether the provider vouches for the address.
    pub(in crate::signon) email_verified: bool,
    pub(in crate::signon) name: Option<String>,
    /// `None`: the claims give none.
    pub(in crate::signon) role: Option<Role>,
    /// `None`: nothing is said of them.
    pub(in crate::signon) groups: Option<Vec<String>>,
}

/// Roles that a claim may give, the highest first.
static ROLES: &[Role] =
    &[Role::ProxyAdmin, Role::ProxyAdminViewer, Role::InternalUser, Role::InternalUserViewer];

pub(in crate::signon) fn role_named(name: &str) -> Option<Role> {
    ROLES.iter().copied().find(|role| role.as_str() == name)
}

// --- Names ---

impl Names {
    pub(super) fn generic(env: &Env) -> Self {
        let text = |name: &str, default: &str| env.filled(name).unwrap_or(default).to_owned();
        Self {
            id: vec![text("GENERIC_USER_ID_ATTRIBUTE", "preferred_username")],
            email: vec![text("GENERIC_USER_EMAIL_ATTRIBUTE", "email")],
            display: vec![text("GENERIC_USER_DISPLAY_NAME_ATTRIBUTE", "name")],
            first: text("GENERIC_USER_FIRST_NAME_ATTRIBUTE", "given_name"),
            last: text("GENERIC_USER_LAST_NAME_ATTRIBUTE", "family_name"),
            role: text("GENERIC_USER_ROLE_ATTRIBUTE", "role"),
            groups: text("GENERIC_ROLE_MAPPINGS_GROUP_CLAIM", "groups"),
            omits_empty: false,
            mappings: Mappings::of(env),
        }
    }

    pub(super) fn google(env: &Env) -> Self {
        Self { id: texts_of(&["sub"]), email: texts_of(&["email"]), ..Self::generic(env) }
    }

    pub(super) fn microsoft(env: &Env) -> Self {
        Self {
            id: texts_of(&["oid", "sub"]),
            email: texts_of(&["email", "preferred_username"]),
            role: String::from("roles"),
            omits_empty: true,
            ..Self::generic(env)
        }
    }

    /// Whoever the claims are of; `None` where they have no id.
    pub(super) fn person(&self, claims: &Value) -> Option<Person> {
        let one = |paths: &[String]| paths.iter().find_map(|path| text(claims, path));
        let both = [text(claims, &self.first), text(claims, &self.last)];
        let both: Vec<String> = both.into_iter().flatten().collect();
        let full = (!both.is_empty()).then(|| both.join(" "));
        Some(Person {
            id: one(&self.id)?,
            email: one(&self.email),
            email_verified: claims["email_verified"] == true || claims["email_verified"] == "true",
            name: one(&self.display).or(full),
            role: self.mappings.role(claims).or_else(|| self.own_role(claims)),
            groups: self.groups(claims),
        })
    }

    fn groups(&self, claims: &Value) -> Option<Vec<String>> {
        // Microsoft tells where to ask for groups that are too many for a token.
        let elsewhere = !claims["_claim_names"]["groups"].is_null() || claims["hasgroups"] == true;
        let there = at(claims, &self.groups).is_some_and(|groups| !groups.is_null());
        let told = there || self.omits_empty && !elsewhere;
        // Keycloak writes groups as paths.
        let name = |group: String| group.trim_start_matches('/').to_owned();
        told.then(|| all(claims, &self.groups).into_iter().map(name).collect())
    }

    /// The highest role that the claims name.
    fn own_role(&self, claims: &Value) -> Option<Role> {
        let named = all(claims, &self.role);
        ROLES.iter().copied().find(|role| named.iter().any(|name| role_named(name) == Some(*role)))
    }
}

fn texts_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Person {
    /// Somebody of a tenant that the operator knows nothing of. What that tenant's admins can write into a token counts for
    /// nothing: roles, groups, and an address that nobody looked at; names to sign in with have domains that Microsoft has.
    pub(super) fn of_any_tenant(self, claims: &Value) -> Self {
        let email = text(claims, "preferred_username").filter(|name| name.contains('@'));
        Self { email, email_verified: false, role: None, groups: None, ..self }
    }
}

// --- Mappings ---

impl Mappings {
    fn of(env: &Env) -> Self {
        let written = env.filled("GENERIC_ROLE_MAPPINGS_ROLES").unwrap_or_default();
        // LiteLLM's own examples are written as Python does.
        let roles =
            serde_json::from_str(written).or_else(|_| serde_json::from_str(&written.replace('\'', "\"")));
        Self {
            roles: roles.unwrap_or_default(),
            claim: env.filled("GENERIC_ROLE_MAPPINGS_GROUP_CLAIM").unwrap_or("groups").to_owned(),
            default: env.filled("GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE").and_then(role_named),
        }
    }

    /// The highest role of any of the groups; nothing where nothing is mapped.
    fn role(&self, claims: &Value) -> Option<Role> {
        if self.roles.is_empty() {
            return None;
        }
        let groups = all(claims, &self.claim);
        let has = |role: &Role| {
            let mapped = self.roles.get(role.as_str());
            mapped.is_some_and(|mapped| groups.iter().any(|group| mapped.contains(group)))
        };
        ROLES.iter().copied().find(has).or(self.default)
    }
}

// --- claims ---

/// The value at a path; a name with dots in it counts first.
fn at<'v>(claims: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.split('.').try_fold(claims, |value, part| value.get(part))
}

fn text(claims: &Value, path: &str) -> Option<String> {
    match at(claims, path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text, or all texts of a list.
fn all(claims: &Value, path: &str) -> Vec<String> {
    match at(claims, path) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(env: &[(&str, &str)], claims: &Value) -> Option<Person> {
        Names::generic(&Env::of(env.iter().copied())).person(claims)
    }

    #[test]
    fn claims_are_found_by_paths() {
        let claims = json!({
            "preferred_username": "alice", "email": "alice@work.example", "email_verified": true,
            "realm_access": { "roles": ["offline_access", "internal_user", "proxy_admin"] },
            "groups": ["/red", "blue"],
        });
        let env = [("GENERIC_USER_ROLE_ATTRIBUTE", "realm_access.roles")];
        let alice = person(&env, &claims).unwrap();
        assert_eq!((alice.id.as_str(), alice.role), ("alice", Some(Role::ProxyAdmin)), "the highest");
        assert_eq!(alice.groups.unwrap(), ["red", "blue"]);
        assert!(alice.email_verified);
        let silent = person(&[], &json!({ "preferred_username": "a" })).unwrap();
        assert_eq!(silent.groups, None, "nothing is said of groups");
        let nested = [("GENERIC_USER_ID_ATTRIBUTE", "account.id")];
        assert_eq!(person(&nested, &json!({ "account": { "id": 7 } })).unwrap().id, "7");
        assert_eq!(person(&nested, &claims), None);
    }

    #[test]
    fn microsoft_says_nothing_where_there_are_no_groups_or_too_many() {
        let names = Names::microsoft(&Env::default());
        let groups = |claims: Value| names.person(&claims).unwrap().groups;
        assert_eq!(groups(json!({ "oid": "o", "groups": ["g"] })), Some(vec!["g".to_owned()]));
        assert_eq!(groups(json!({ "oid": "o" })), Some(Vec::new()));
        assert_eq!(groups(json!({ "oid": "o", "hasgroups": true })), None);
        assert_eq!(groups(json!({ "oid": "o", "_claim_names": { "groups": "src1" } })), None);
    }

    #[test]
    fn p37_an_unknown_tenant_gives_nobody_a_role_a_group_or_an_address() {
        let claims = json!({ "oid": "o", "email": "boss@work.example", "email_verified": true, "roles": ["proxy_admin"],
            "groups": ["admins"], "preferred_username": "mallory@evil.example" });
        let told = Names::microsoft(&Env::default()).person(&claims).unwrap();
        assert_eq!(told.role, Some(Role::ProxyAdmin));
        let mallory = told.of_any_tenant(&claims);
        assert_eq!((mallory.role, mallory.groups, mallory.email_verified), (None, None, false));
        assert_eq!(mallory.email.as_deref(), Some("mallory@evil.example"));
    }

    #[test]
    fn p37_roles_that_nobody_may_be_given_are_none() {
        for role in ["org_admin", "team", "customer", "admin", "PROXY_ADMIN"] {
            let claims = json!({ "preferred_username": "a", "role": role });
            assert_eq!(person(&[], &claims).unwrap().role, None, "{role}");
        }
    }

    #[test]
    fn groups_give_roles() {
        let env = [
            ("GENERIC_ROLE_MAPPINGS_ROLES", "{'proxy_admin': ['admins'], 'internal_user': ['devs']}"),
            ("GENERIC_ROLE_MAPPINGS_GROUP_CLAIM", "teams"),
            ("GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE", "internal_user_viewer"),
        ];
        for (groups, role) in [
            (json!(["devs", "admins"]), Role::ProxyAdmin),
            (json!("devs"), Role::InternalUser),
            (json!([]), Role::InternalUserViewer),
        ] {
            let claims = json!({ "preferred_username": "a", "teams": groups });
            assert_eq!(person(&env, &claims).unwrap().role, Some(role));
        }
    }
}
