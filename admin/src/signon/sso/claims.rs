//! What an identity provider says of somebody, and what is made of it. Names of claims may be paths:
//! `realm_access.roles`.

use serde_json::{Value, json};
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
    vouched: Vouched,
    /// Whoever is in no group is told without the claim.
    omits_empty: bool,
    mappings: Mappings,
}

/// Which service knows somebody.
enum Vouched {
    /// Always the same one.
    By(&'static str),
    /// A claim says it.
    In(String),
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
    /// Which service knows this person: kept in the metadata of a new user.
    pub(in crate::signon) vouched_by: Option<String>,
    /// Groups that are to be teams, whoever is in them.
    pub(in crate::signon) assigned: Vec<Group>,
}

/// A group, with the name that people know it by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::signon) struct Group {
    pub(in crate::signon) id: String,
    pub(in crate::signon) name: Option<String>,
}

/// Roles that a claim may give, the highest first.
static ROLES: &[Role] =
    &[Role::ProxyAdmin, Role::ProxyAdminViewer, Role::InternalUser, Role::InternalUserViewer];

/// What stands in place of one of Microsoft's tenants for many.
static MANY_TENANTS: &[&str] = &["common", "organizations", "consumers"];

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
            vouched: Vouched::In(text("GENERIC_USER_PROVIDER_ATTRIBUTE", "provider")),
            omits_empty: false,
            mappings: Mappings::of(env),
        }
    }

    pub(super) fn google(env: &Env) -> Self {
        let (id, email) = (texts_of(&["sub"]), texts_of(&["email"]));
        Self { id, email, vouched: Vouched::By("google"), ..Self::generic(env) }
    }

    pub(super) fn microsoft(env: &Env) -> Self {
        let own = |name: &str| env.filled(name).map(str::to_owned);
        let before = |own: Option<String>, usual: &[&str]| -> Vec<String> {
            own.into_iter().chain(texts_of(usual)).collect()
        };
        // What the admins of any tenant may write into a token must not say which user that is.
        let id = own("MICROSOFT_USER_ID_ATTRIBUTE").filter(|_| !of_many_tenants(env));
        let (first, last) =
            (own("MICROSOFT_USER_FIRST_NAME_ATTRIBUTE"), own("MICROSOFT_USER_LAST_NAME_ATTRIBUTE"));
        Self {
            id: before(id, &["oid", "sub"]),
            email: before(own("MICROSOFT_USER_EMAIL_ATTRIBUTE"), &["email", "preferred_username"]),
            display: before(own("MICROSOFT_USER_DISPLAY_NAME_ATTRIBUTE"), &["name"]),
            first: first.unwrap_or_else(|| String::from("given_name")),
            last: last.unwrap_or_else(|| String::from("family_name")),
            role: String::from("roles"),
            vouched: Vouched::By("microsoft"),
            omits_empty: true,
            ..Self::generic(env)
        }
    }

    /// For people who look at how it is set up.
    pub(super) fn told(&self) -> Value {
        json!({
            "user_id": self.id,
            "email": self.email,
            "role": self.role,
            "groups": self.groups,
            "roles_by_group": self.mappings.roles,
        })
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
            vouched_by: match &self.vouched {
                Vouched::By(name) => Some((*name).to_owned()),
                Vouched::In(path) => text(claims, path),
            },
            assigned: Vec::new(),
        })
    }

    fn groups(&self, claims: &Value) -> Option<Vec<String>> {
        // Microsoft tells where to ask for groups that are too many for a token.
        let elsewhere = !claims["_claim_names"]["groups"].is_null() || claims["hasgroups"] == true;
        let there = at(claims, &self.groups).is_some_and(|groups| !groups.is_null());
        let told = there || self.omits_empty && !elsewhere;
        told.then(|| groups_at(claims, &self.groups))
    }

    /// The highest role that the claims name.
    fn own_role(&self, claims: &Value) -> Option<Role> {
        let named = all(claims, &self.role);
        ROLES.iter().copied().find(|role| named.iter().any(|name| role_named(name) == Some(*role)))
    }
}

fn of_many_tenants(env: &Env) -> bool {
    let tenant = env.filled("MICROSOFT_TENANT").unwrap_or("common");
    let door = env.filled("MICROSOFT_AUTHORIZATION_ENDPOINT").unwrap_or_default();
    MANY_TENANTS.iter().any(|many| tenant == *many || door.contains(&format!("/{many}/")))
}

fn texts_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Person {
    /// In the teams of the claim that `litellm_jwtauth` names for them, where it names one.
    pub(super) fn in_teams_of(self, list: Option<&str>, claims: &Value) -> Self {
        let Some(path) = list else { return self };
        let there = at(claims, path).is_some_and(|teams| !teams.is_null());
        Self { groups: there.then(|| groups_at(claims, path)), ..self }
    }

    /// Somebody of a tenant that the operator knows nothing of. What that tenant's admins can write into a token counts for
    /// nothing: roles, groups, and an address that nobody looked at; names to sign in with have domains that Microsoft has.
    pub(super) fn of_any_tenant(self, claims: &Value) -> Self {
        let email = text(claims, "preferred_username").filter(|name| name.contains('@'));
        Self { email, email_verified: false, role: None, groups: None, assigned: Vec::new(), ..self }
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

/// Keycloak writes groups as paths.
fn groups_at(claims: &Value, path: &str) -> Vec<String> {
    all(claims, path).into_iter().map(|group| group.trim_start_matches('/').to_owned()).collect()
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
    fn microsofts_claims_are_found_by_the_operators_names_first() {
        let env = Env::of([
            ("MICROSOFT_TENANT", "t-1"),
            ("MICROSOFT_USER_ID_ATTRIBUTE", "employee.id"),
            ("MICROSOFT_USER_EMAIL_ATTRIBUTE", "mail"),
            ("MICROSOFT_USER_FIRST_NAME_ATTRIBUTE", "givenName"),
            ("MICROSOFT_USER_LAST_NAME_ATTRIBUTE", "surname"),
        ]);
        let claims = json!({ "oid": "o", "email": "a@x.example", "employee": { "id": "e-7" }, "mail": "ada@work.example",
            "givenName": "Ada", "surname": "Byron" });
        let ada = Names::microsoft(&env).person(&claims).unwrap();
        assert_eq!((ada.id.as_str(), ada.email.as_deref()), ("e-7", Some("ada@work.example")));
        assert_eq!((ada.name.as_deref(), ada.vouched_by.as_deref()), (Some("Ada Byron"), Some("microsoft")));
        let usual = Names::microsoft(&env).person(&json!({ "oid": "o", "email": "a@x.example" })).unwrap();
        assert_eq!((usual.id.as_str(), usual.email.as_deref()), ("o", Some("a@x.example")));
    }

    #[test]
    fn p37_of_many_tenants_a_claim_that_their_admins_write_is_nobodys_id() {
        for tenant in ["", "common", "organizations"] {
            let env = Env::of([("MICROSOFT_TENANT", tenant), ("MICROSOFT_USER_ID_ATTRIBUTE", "email")]);
            let claims = json!({ "oid": "o", "email": "boss@work.example" });
            assert_eq!(Names::microsoft(&env).person(&claims).unwrap().id, "o", "{tenant}");
            let door = "https://login.microsoftonline.us/common/oauth2/v2.0/authorize";
            let env = env.with([("MICROSOFT_TENANT", "t-1"), ("MICROSOFT_AUTHORIZATION_ENDPOINT", door)]);
            assert_eq!(Names::microsoft(&env).person(&claims).unwrap().id, "o");
        }
    }

    #[test]
    fn teams_are_those_of_the_claim_that_is_named_for_them() {
        let claims = json!({ "preferred_username": "a", "groups": ["red"], "squads": ["/blue"] });
        let teams = |list: Option<&str>| person(&[], &claims).unwrap().in_teams_of(list, &claims).groups;
        assert_eq!(teams(None), Some(vec!["red".to_owned()]));
        assert_eq!(teams(Some("squads")), Some(vec!["blue".to_owned()]));
        assert_eq!(teams(Some("missing")), None, "nothing is said of teams");
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
