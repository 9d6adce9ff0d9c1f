//! `general_settings.litellm_jwtauth`, and what roles may do that tokens have: `role_permissions`.

use super::super::keys;
use super::super::problems::Problems;
use super::super::section::{Section, join};
use super::super::tree::{Node, Value};
use crate::domain::records::Role;
use std::time::Duration;

/// How long an identity provider's keys are kept, unless something else is said.
const KEYS_KEPT: Duration = Duration::from_secs(600);
/// The same of what it says of a user.
const USERINFO_KEPT: Duration = Duration::from_secs(300);
/// LiteLLM's scope of admins.
const ADMIN_SCOPE: &str = "litellm_proxy_admin";

/// Names of claims may be paths: `realm_access.roles`.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    pub user_id: Option<String>,
    pub user_email: Option<String>,
    /// Claims with roles.
    pub roles: Vec<String>,
    /// Claims with teams, the first ones first.
    pub teams: Vec<String>,
    /// The one of them with a list (`team_ids_jwt_field`): whoever signs in to the UI is in those teams, too.
    pub team_list: Option<String>,
    pub organization_id: Option<String>,
    pub end_user_id: Option<String>,
    /// A claim with the id of a user or a team, as the mapped role says.
    pub object_id: Option<String>,
    /// The team of tokens that name none.
    pub team_default: Option<String>,
    /// The scope that makes an admin.
    pub admin_scope: String,
    /// What admins may call; all where nothing is said.
    pub admin_routes: Vec<String>,
    /// What tokens of teams may call; all that their role may where nothing is said.
    pub team_routes: Vec<String>,
    /// Tokens without one of these are refused; none where nothing is said.
    pub allowed_roles: Option<Vec<String>>,
    /// Tokens of other e-mail addresses are refused.
    pub allowed_domain: Option<String>,
    /// Routes that need neither token nor key (`public_allowed_routes`).
    pub public_routes: Vec<String>,
    /// Tokens without a team are refused, and of several teams one counts that may use the model that is asked for
    /// (`enforce_team_based_model_access`).
    pub enforce_teams: bool,
    /// What a token does not say itself is asked at this address (`oidc_userinfo_endpoint`); `None`: it is not asked.
    pub userinfo: Option<String>,
    /// How long the answer counts.
    pub userinfo_ttl: Duration,
    /// Users and teams that are not there are made.
    pub user_upsert: bool,
    pub team_upsert: bool,
    pub public_key_ttl: Duration,
    /// A role here for one of the provider's.
    pub mappings: Vec<RoleMapping>,
    /// Tokens without a role are refused, and `role_permissions` hold.
    pub enforce_roles: bool,
    /// Models by scope; `None`: scopes limit nothing.
    pub scopes: Option<Vec<ScopeModels>>,
    /// Roles and teams of users are kept to be what tokens say.
    pub sync: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMapping {
    /// The provider's; `*` and `?` stand for any characters and any one.
    pub from: String,
    pub to: Role,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeModels {
    pub scope: String,
    pub models: Vec<String>,
}

/// What tokens of a role may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePermissions {
    pub role: Role,
    /// `None`: all.
    pub models: Option<Vec<String>>,
    pub routes: Option<Vec<String>>,
}

impl JwtSettings {
    /// `enforce_roles`: another setting wants it.
    pub(in super::super) fn read(general: &Section, enforce_roles: bool, problems: &mut Problems) -> Self {
        let s = section(general, problems);
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let text = |name: &str| s.text(name).filter(|text| !text.is_empty());
        let texts = |name: &str| s.texts(name).unwrap_or_default();
        let all = |names: [&str; 2]| names.into_iter().filter_map(text).collect();
        Self {
            user_id: text("user_id_jwt_field"),
            user_email: text("user_email_jwt_field"),
            roles: all(["user_roles_jwt_field", "roles_jwt_field"]),
            teams: all(["team_id_jwt_field", "team_ids_jwt_field"]),
            team_list: text("team_ids_jwt_field"),
            organization_id: text("org_id_jwt_field"),
            end_user_id: text("end_user_id_jwt_field"),
            object_id: text("object_id_jwt_field"),
            team_default: text("team_id_default"),
            admin_scope: text("admin_jwt_scope").unwrap_or_else(|| ADMIN_SCOPE.to_owned()),
            admin_routes: texts("admin_allowed_routes"),
            team_routes: texts("team_allowed_routes"),
            allowed_roles: s.texts("user_allowed_roles"),
            allowed_domain: text("user_allowed_email_domain"),
            public_routes: texts("public_allowed_routes"),
            enforce_teams: bool("enforce_team_based_model_access"),
            userinfo: userinfo(&s, problems),
            userinfo_ttl: s.seconds("oidc_userinfo_cache_ttl").unwrap_or(USERINFO_KEPT),
            user_upsert: bool("user_id_upsert"),
            team_upsert: bool("team_id_upsert"),
            public_key_ttl: s.seconds("public_key_ttl").unwrap_or(KEYS_KEPT),
            mappings: mappings(&s, problems),
            enforce_roles: enforce_roles || bool("enforce_rbac"),
            scopes: scopes(&s, problems),
            sync: bool("sync_user_role_and_teams"),
        }
    }
}

/// Where users are asked about, as far as it is switched on.
fn userinfo(s: &Section, problems: &mut Problems) -> Option<String> {
    const SWITCH: &str = "oidc_userinfo_enabled";
    const ADDRESS: &str = "oidc_userinfo_endpoint";
    let address = s.text(ADDRESS).filter(|address| !address.is_empty());
    match (s.bool(SWITCH) == Some(true), address) {
        (true, None) => {
            problems.error(&s.place(SWITCH), "nobody can be asked", format!("add {ADDRESS}: https://…"));
            None
        }
        (true, address) => address,
        (false, Some(_)) => {
            problems.warn(&s.place(ADDRESS), "has no effect by itself", format!("add {SWITCH}: true"));
            None
        }
        (false, None) => None,
    }
}

/// What is no map was told by the section above.
fn section(general: &Section, problems: &mut Problems) -> Section {
    let node = general.node("litellm_jwtauth").filter(|node| matches!(node.value, Value::Map(_)));
    match node {
        Some(node) => Section::read(node, &keys::JWT, keys::JWT.name, problems),
        None => Section::empty(&keys::JWT),
    }
}

/// Both of LiteLLM's tables: `{role, internal_role}` and `{jwt_role, litellm_role}`.
fn mappings(s: &Section, problems: &mut Problems) -> Vec<RoleMapping> {
    let mut found = Vec::new();
    for (name, from, to) in
        [("role_mappings", "role", "internal_role"), ("jwt_litellm_role_map", "jwt_role", "litellm_role")]
    {
        for (path, node) in items(s, name) {
            let role = role(node, to, &path, problems);
            let from = needed(node, from, &path, problems);
            found.extend(from.zip(role).map(|(from, to)| RoleMapping { from, to }));
        }
    }
    found
}

fn scopes(s: &Section, problems: &mut Problems) -> Option<Vec<ScopeModels>> {
    let mut found = Vec::new();
    for (path, node) in items(s, "scope_mappings") {
        let models = node.get("models").and_then(Node::as_texts).unwrap_or_default();
        let scope = needed(node, "scope", &path, problems);
        found.extend(scope.map(|scope| ScopeModels { scope, models }));
    }
    if s.bool("enforce_scope_based_access") == Some(true) {
        return Some(found);
    }
    if !found.is_empty() {
        let cure = "add enforce_scope_based_access: true";
        problems.warn(&s.place("scope_mappings"), "has no effect by itself", cure);
    }
    None
}

/// `role_permissions`. They hold where roles are enforced.
pub(in super::super) fn permissions(
    general: &Section,
    enforced: bool,
    problems: &mut Problems,
) -> Vec<RolePermissions> {
    const NAME: &str = "role_permissions";
    let mut found = Vec::new();
    for (path, node) in items(general, NAME) {
        let texts = |name: &str| node.get(name).and_then(Node::as_texts);
        let role = role(node, "role", &path, problems);
        found.extend(role.map(|role| RolePermissions {
            role,
            models: texts("models"),
            routes: texts("routes"),
        }));
    }
    if !found.is_empty() && !enforced {
        let cure = "add litellm_jwtauth.enforce_rbac: true";
        problems.warn(&general.place(NAME), "has no effect by itself", cure);
    }
    found
}

/// Entries of a list, with their paths.
fn items<'s>(s: &'s Section, name: &'s str) -> impl Iterator<Item = (String, &'s Node)> {
    let nodes = s.node(name).map_or(&[][..], Node::items);
    nodes.iter().enumerate().map(move |(at, node)| (format!("{}[{at}]", join(&s.at().path, name)), node))
}

fn needed(node: &Node, name: &str, path: &str, problems: &mut Problems) -> Option<String> {
    let text = node.get(name).and_then(Node::as_text).filter(|text| !text.is_empty()).map(str::to_owned);
    if text.is_none() {
        problems.error(&node.place(join(path, name)), "is missing", format!("add {name}"));
    }
    text
}

fn role(node: &Node, name: &str, path: &str, problems: &mut Problems) -> Option<Role> {
    let text = needed(node, name, path, problems)?;
    // A name that LiteLLM's documentation has for a viewer.
    let known = if text == "internal_user_view_only" { "internal_user_viewer" } else { text.as_str() };
    let given = Role::parse(known).filter(|role| !matches!(role, Role::OrgAdmin | Role::Customer));
    if given.is_none() {
        let cure = "write proxy_admin, proxy_admin_viewer, internal_user, internal_user_viewer or team";
        problems.error(&node.place(join(path, name)), "is not a role that a token may have", cure);
    }
    given
}

impl RoleMapping {
    /// Whether one of the provider's roles is meant.
    pub fn is_of(&self, role: &str) -> bool {
        let (pattern, role): (Vec<char>, Vec<char>) = (self.from.chars().collect(), role.chars().collect());
        fits(&pattern, &role)
    }
}

/// Goes back to the last star only, so that no pattern takes long.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                last = Some((at + 1, read));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(read) => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((after, from)) = last else { return false };
                last = Some((after, from + 1));
                (at, read) = (after, from + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_roles_mean_what_they_say() {
        for (from, role, fit) in [
            ("ADMIN", "ADMIN", true),
            ("ADMIN", "ADMIN_2", false),
            ("ADMIN_*", "ADMIN_READ", true),
            ("*_READ", "ADMIN_READ", true),
            ("A*N?R*D", "ADMIN_READ", true),
            ("A?", "A", false),
            ("*", "", true),
            ("", "A", false),
        ] {
            let mapping = RoleMapping { from: from.to_owned(), to: Role::InternalUser };
            assert_eq!(mapping.is_of(role), fit, "{from} {role}");
        }
    }
}
