//! What a token says of somebody, by the names that the operator gives to claims.

use super::{Fault, refused};
use serde_json::Value;
use weir_core::config::env::Env;
use weir_core::config::{GeneralSettings, JwtSettings, RolePermissions};
use weir_core::domain::key::TokenLimits;
use weir_core::domain::records::Role;

/// Whom a token names, and what it may do.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claimed {
    pub(super) user: Option<String>,
    pub(super) email: Option<String>,
    /// Over what is kept of the user.
    pub(super) role: Option<Role>,
    /// Who is in none of the teams that there are is refused, but for admins; and of several one counts that has the model.
    pub(super) enforce_teams: bool,
    /// The first that there is counts.
    pub(super) teams: Vec<String>,
    pub(super) organization: Option<String>,
    /// A user who is not known yet is made.
    pub(super) upsert: bool,
    /// The first team is made where none is there.
    pub(super) team_upsert: bool,
    /// What the provider says of role and teams is kept.
    pub(super) sync: bool,
    /// Never one that a scope of this token gives.
    pub(super) kept_role: Option<Role>,
    /// All its teams; `None`: nothing is said of them.
    pub(super) all_teams: Option<Vec<String>>,
    /// As `models` and `allowed_routes` of a key.
    pub(super) models: Vec<String>,
    pub(super) routes: Vec<String>,
    pub(super) limits: Option<TokenLimits>,
}

/// Teams that are looked up for one token.
const TEAMS: usize = 100;
/// Longer names are no ids.
const LONGEST: usize = 256;
/// In place of a list that allows nothing, for an empty one allows all. No model and no route is called so.
const NOTHING: &str = "no-default-models";

/// Roles that a claim may give.
static ROLES: &[Role] =
    &[Role::ProxyAdmin, Role::ProxyAdminViewer, Role::InternalUser, Role::InternalUserViewer];

fn role_named(name: &str) -> Option<Role> {
    ROLES.iter().copied().find(|role| role.as_str() == name)
}

// --- signed tokens ---

/// Read as `litellm_jwtauth` says.
pub(super) fn of_jwt(general: &GeneralSettings, claims: &Value) -> Result<Claimed, Fault> {
    let settings = &general.jwt;
    let one = |path: &Option<String>| path.as_deref().and_then(|path| all(claims, path).into_iter().next());
    let email = one(&settings.user_email);
    allowed_domain(settings.allowed_domain.as_deref(), email.as_deref())?;
    let roles: Vec<String> = settings.roles.iter().flat_map(|path| all(claims, path)).collect();
    if settings.allowed_roles.as_ref().is_some_and(|allowed| !roles.iter().any(|role| allowed.contains(role)))
    {
        return Err(refused("none of its roles may call"));
    }
    let named: Vec<String> = ids(settings.teams.iter().flat_map(|path| all(claims, path)).collect());
    // Of more than are looked at it is not known which ones are missing.
    let says_teams = settings.teams.iter().any(|path| at(claims, path).is_some()) && named.len() < TEAMS;
    let mapped = mapped(settings, &roles);
    let is_admin = scopes(claims).contains(&settings.admin_scope);
    let role = if is_admin { Some(Role::ProxyAdmin) } else { mapped };
    let mut claimed = Claimed {
        enforce_teams: settings.enforce_teams,
        user: one(&settings.user_id).filter(|id| is_id(id)),
        email,
        role: role.filter(|role| ROLES.contains(role)),
        teams: ids(named.iter().cloned().chain(settings.team_default.clone()).collect()),
        organization: one(&settings.organization_id).filter(|id| is_id(id)),
        upsert: settings.user_upsert,
        team_upsert: settings.team_upsert,
        sync: settings.sync,
        kept_role: mapped.filter(|role| ROLES.contains(role)),
        all_teams: says_teams.then_some(named),
        ..Claimed::default()
    };
    object(settings, claims, role, &mut claimed);
    limited(general, claims, role, &mut claimed)?;
    Ok(claimed)
}

/// The highest that the provider's roles stand for.
fn mapped(settings: &JwtSettings, roles: &[String]) -> Option<Role> {
    let mapped = settings.mappings.iter().filter(|mapping| roles.iter().any(|role| mapping.is_of(role)));
    let mapped: Vec<Role> = mapped.map(|mapping| mapping.to).collect();
    ROLES.iter().chain(&[Role::Team]).copied().find(|role| mapped.contains(role))
}

/// A claim whose id is a team's or a user's, as the role says.
fn object(settings: &JwtSettings, claims: &Value, role: Option<Role>, claimed: &mut Claimed) {
    let id = settings.object_id.as_deref().and_then(|path| all(claims, path).into_iter().next());
    let Some(id) = id.filter(|id| is_id(id)) else { return };
    match role {
        Some(Role::Team) => claimed.teams.insert(0, id),
        Some(_) if claimed.user.is_none() => claimed.user = Some(id),
        _ => {}
    }
}

fn allowed_domain(domain: Option<&str>, email: Option<&str>) -> Result<(), Fault> {
    let Some(domain) = domain else { return Ok(()) };
    let own = email.and_then(|email| email.rsplit_once('@')).map(|(_, own)| own);
    if own.is_some_and(|own| own.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    Err(refused("its e-mail address is of another domain"))
}

/// What a provider says of the user lies over what the token says; when it ends is the token's to say.
///
/// # Errors
/// They are about different people.
pub(super) fn with_userinfo(token: Value, told: &Value) -> Result<Value, Fault> {
    let (mine, theirs) = (all(&token, "sub"), all(told, "sub"));
    if !mine.is_empty() && !theirs.is_empty() && mine != theirs {
        return Err(refused("the identity provider says that it is somebody else's"));
    }
    let mut claims = token.as_object().cloned().unwrap_or_default();
    let members = told.as_object().into_iter().flatten().filter(|(name, _)| *name != "exp");
    claims.extend(members.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Value::Object(claims))
}

// --- what it may do ---

/// As roles and scopes say.
fn limited(
    general: &GeneralSettings,
    claims: &Value,
    mapped: Option<Role>,
    claimed: &mut Claimed,
) -> Result<(), Fault> {
    let settings = &general.jwt;
    let mut models = None;
    if settings.enforce_roles {
        let role = standing(claimed, mapped).ok_or_else(|| {
            refused("enforce_rbac is set, and it is of no proxy admin, no team and no user")
        })?;
        let row = general.role_permissions.iter().find(|row| row.role == role);
        let of_row =
            |list: fn(&RolePermissions) -> &Option<Vec<String>>| row.and_then(|row| list(row).clone());
        models = of_row(|row| &row.models);
        claimed.routes = of_row(|row| &row.routes).map_or_else(Vec::new, or_nothing);
    }
    if let Some(by_scope) = &settings.scopes {
        let own = scopes(claims);
        let given = by_scope.iter().filter(|row| own.contains(&row.scope));
        let given: Vec<String> = given.flat_map(|row| row.models.iter().cloned()).collect();
        models = Some(both(models, given));
    }
    claimed.models = models.map_or_else(Vec::new, or_nothing);
    let admin = claimed.role == Some(Role::ProxyAdmin);
    let routes = match (admin, claimed.teams.is_empty()) {
        (true, _) => settings.admin_routes.clone(),
        (false, false) => settings.team_routes.clone(),
        (false, true) => Vec::new(),
    };
    let customer = settings.end_user_id.as_deref().and_then(|path| all(claims, path).into_iter().next());
    if customer.is_some() || !routes.is_empty() {
        claimed.limits = Some(TokenLimits { routes, customer, others: Vec::new() });
    }
    Ok(())
}

/// Whose permissions count, in LiteLLM's order: an admin's, a team's, a user's, those of the mapped role.
fn standing(claimed: &Claimed, mapped: Option<Role>) -> Option<Role> {
    match claimed.role {
        Some(Role::ProxyAdmin) => Some(Role::ProxyAdmin),
        _ if !claimed.teams.is_empty() => Some(Role::Team),
        _ if claimed.user.is_some() => Some(Role::InternalUser),
        _ => mapped,
    }
}

/// What is in both, where there are two.
fn both(one: Option<Vec<String>>, mut other: Vec<String>) -> Vec<String> {
    if let Some(one) = one {
        other.retain(|entry| one.contains(entry));
    }
    other
}

fn or_nothing(list: Vec<String>) -> Vec<String> {
    if list.is_empty() { vec![NOTHING.to_owned()] } else { list }
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
        ..Claimed::default()
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

/// The value at a path. A name with dots in it counts first.
fn at<'v>(claims: &'v Value, path: &str) -> Option<&'v Value> {
    let found = claims.get(path).or_else(|| path.split('.').try_fold(claims, |at, part| at.get(part)));
    found.filter(|value| !value.is_null())
}

/// Texts at a path: one, or those of a list.
fn all(claims: &Value, path: &str) -> Vec<String> {
    match at(claims, path) {
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
        read_with(&format!("litellm_jwtauth: {settings}"), claims)
    }

    fn read_with(settings: &str, claims: &Value) -> Result<Claimed, Fault> {
        let text = format!("model_list: []\ngeneral_settings: {{{settings}}}");
        let config = Config::from_text(&text, &Env::default(), &["openai"]).0.unwrap();
        of_jwt(&config.general, claims)
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

    #[test]
    fn p37_roles_that_are_enforced_let_in_who_has_one_and_limit_them() {
        let settings = "litellm_jwtauth: {team_id_jwt_field: client, user_id_jwt_field: sub, roles_jwt_field: roles, \
                        object_id_jwt_field: oid, enforce_rbac: true, \
                        role_mappings: [{role: llm.consumer, internal_role: team}]}, \
                        role_permissions: [{role: team, models: [gpt-4o], routes: [/v1/chat/completions]}, \
                        {role: internal_user, models: []}]";
        let of_team = read_with(settings, &json!({ "client": "red" })).unwrap_or_default();
        assert_eq!(
            (of_team.models, of_team.routes),
            (vec!["gpt-4o".into()], vec!["/v1/chat/completions".into()])
        );
        let mapped = json!({ "oid": "o-1", "roles": ["llm.consumer"] });
        let mapped = read_with(settings, &mapped).unwrap_or_default();
        assert_eq!((mapped.teams, mapped.role), (vec!["o-1".into()], None));
        let of_user = read_with(settings, &json!({ "sub": "ann" })).unwrap_or_default();
        assert_eq!(of_user.models, [NOTHING], "an empty list allows nothing");
        let admin = read_with(settings, &json!({ "scope": "litellm_proxy_admin" })).unwrap_or_default();
        assert!(admin.role == Some(Role::ProxyAdmin) && admin.models.is_empty());
        assert!(read_with(settings, &json!({ "oid": "o-1", "roles": ["other"] })).is_err());
        assert!(read_with(settings, &json!({})).is_err());
    }

    #[test]
    fn p37_scopes_give_their_models_and_no_others() {
        let settings = "{enforce_scope_based_access: true, scope_mappings: [{scope: a, models: [gpt-4o]}, \
                        {scope: b, models: [priced, gpt-4o]}]}";
        for (scope, models) in
            [("a", vec!["gpt-4o"]), ("x b", vec!["priced", "gpt-4o"]), ("c", vec![NOTHING])]
        {
            let claimed = read(settings, &json!({ "sub": "a", "scope": scope })).unwrap_or_default();
            assert_eq!(claimed.models, models, "{scope}");
        }
        let off = "{scope_mappings: [{scope: a, models: [gpt-4o]}]}";
        assert!(read(off, &json!({ "scope": "a" })).unwrap_or_default().models.is_empty());
    }

    #[test]
    fn routes_are_the_admins_or_the_teams() {
        let settings = "{team_id_jwt_field: team, admin_allowed_routes: [management_routes], \
                        team_allowed_routes: openai_routes, end_user_id_jwt_field: customer.id}";
        let routes =
            |claims: Value| read(settings, &claims).unwrap_or_default().limits.map(|limits| limits.routes);
        let admin = json!({ "team": "red", "scope": "litellm_proxy_admin" });
        assert_eq!(routes(admin), Some(vec!["management_routes".into()]));
        assert_eq!(routes(json!({ "team": "red" })), Some(vec!["openai_routes".into()]));
        assert_eq!(routes(json!({ "sub": "a" })), None);
        let claimed = read(settings, &json!({ "customer": { "id": "c-1" } })).unwrap_or_default();
        assert_eq!(claimed.limits.and_then(|limits| limits.customer).as_deref(), Some("c-1"));
    }

    #[test]
    fn p37_what_is_said_of_the_user_lies_over_the_token_but_not_over_somebody_elses() {
        let told = json!({ "sub": "a", "groups": ["red"], "exp": 9 });
        let both = with_userinfo(json!({ "sub": "a", "exp": 7, "scope": "x" }), &told).unwrap_or_default();
        assert_eq!(both, json!({ "sub": "a", "exp": 7, "scope": "x", "groups": ["red"] }));
        assert!(with_userinfo(json!({ "sub": "b" }), &told).is_err());
        let alone = with_userinfo(json!({}), &told).unwrap_or_default();
        assert_eq!(alone, json!({ "sub": "a", "groups": ["red"] }));
    }

    #[test]
    fn teams_that_are_not_spoken_of_are_not_none() {
        let settings = "{team_ids_jwt_field: groups, sync_user_role_and_teams: true}";
        let all = |claims: Value| read(settings, &claims).unwrap_or_default().all_teams;
        assert_eq!(all(json!({ "groups": ["red"] })), Some(vec!["red".into()]));
        assert_eq!(all(json!({ "groups": [] })), Some(Vec::new()));
        assert_eq!(all(json!({})), None);
    }
}
