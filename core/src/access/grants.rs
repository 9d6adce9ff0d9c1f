//! Role × route, as one function. What no rule allows is refused.

use crate::config::RouteSettings;
use crate::domain::key::{Caller, KeyRecord, Principal};
use crate::domain::records::Role;
use crate::error::{ApiError, Kind};
use std::sync::Arc;

/// What a route is for. Keys may be limited to classes by LiteLLM's names of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteClass {
    /// No key needed.
    Public,
    /// Calls a model, or lists what may be called.
    Llm,
    /// Tells about what is the caller's own.
    Info,
    /// Makes and changes keys, teams, users and the like.
    Management,
    /// Tells what was spent.
    Spend,
    /// The gateway itself: configuration, models, health.
    Operation,
}

/// Who may call a route. Proxy admins always may; the handler narrows what others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant(u8);

/// A route, as far as access to it is concerned.
#[derive(Clone, Copy, Debug)]
pub struct RouteRule {
    /// With `{names}` for what differs.
    pub path: &'static str,
    pub class: RouteClass,
    pub grant: Grant,
}

/// LiteLLM's names of groups of routes in `allowed_routes`.
static GROUPS: &[(&str, &[RouteClass])] = &[
    ("llm_api_routes", &[RouteClass::Llm]),
    ("openai_routes", &[RouteClass::Llm]),
    ("anthropic_routes", &[RouteClass::Llm]),
    ("google_routes", &[RouteClass::Llm]),
    ("info_routes", &[RouteClass::Info]),
    ("management_routes", &[RouteClass::Management, RouteClass::Info]),
    ("spend_tracking_routes", &[RouteClass::Spend]),
    ("global_spend_tracking_routes", &[RouteClass::Spend]),
];

/// How the routes of SCIM begin.
const PROVISIONING: &str = "/scim/";

// --- Grant ---

impl Grant {
    /// Proxy admins only.
    pub const ADMIN: Grant = Grant(0);
    /// Everybody with a key that is valid.
    pub const ANY: Grant = Grant(1);
    pub const VIEWER: Grant = Grant(1 << 1);
    pub const INTERNAL: Grant = Grant(1 << 2);
    pub const INTERNAL_VIEWER: Grant = Grant(1 << 3);
    pub const ORG_ADMIN: Grant = Grant(1 << 4);
    /// The master key itself, not only a proxy admin.
    pub const MASTER: Grant = Grant(1 << 5);

    /// Both.
    pub const fn and(self, other: Grant) -> Grant {
        Grant(self.0 | other.0)
    }

    pub fn has(self, other: Grant) -> bool {
        self.0 & other.0 != 0
    }

    fn includes(self, known: &Principal) -> bool {
        let by_role = match known.role() {
            Some(Role::ProxyAdmin) => !self.has(Grant::MASTER),
            Some(Role::ProxyAdminViewer) => self.has(Grant::VIEWER),
            Some(Role::InternalUser) => self.has(Grant::INTERNAL),
            Some(Role::InternalUserViewer) => self.has(Grant::INTERNAL_VIEWER),
            Some(Role::OrgAdmin) => self.has(Grant::ORG_ADMIN),
            Some(Role::Team | Role::Customer) | None => false,
        };
        by_role || self.has(Grant::ANY) || self.has(Grant::ORG_ADMIN) && administers(known)
    }
}

fn administers(known: &Principal) -> bool {
    known.memberships.iter().any(|member| member.role == Role::OrgAdmin)
}

// --- the decision ---

/// The role × route table, as one function.
pub fn allowed(caller: &Caller, rule: &RouteRule) -> bool {
    match caller {
        _ if rule.class == RouteClass::Public => true,
        Caller::Anonymous => false,
        Caller::Master(_) => true,
        Caller::Key(known) => rule.grant.includes(known) || permitted(known, rule),
    }
}

/// A key may be given more than its role has.
fn permitted(known: &Principal, rule: &RouteRule) -> bool {
    match rule.class {
        RouteClass::Spend => known.sees_spend(),
        RouteClass::Management => rule.path.starts_with(PROVISIONING) && provisions(known),
        _ => false,
    }
}

/// What an identity provider is given to keep users and teams with: a key of nobody, which only admins make, whose
/// `allowed_routes` name the routes of provisioning.
fn provisions(known: &Principal) -> bool {
    let key = &known.key;
    let nobodys = known.user.is_none() && key.user_id.is_none();
    let free = key.team_id.is_none() && key.organization_id.is_none();
    nobodys && free && key.allowed_routes.iter().any(|route| route.starts_with(PROVISIONING))
}

/// Refuses what [`allowed`] does not allow, in LiteLLM's words. `path` as it was called.
///
/// # Errors
/// 401 or 403, by role, as LiteLLM answers.
pub fn authorise(caller: &Caller, rule: &RouteRule, path: &str) -> Result<(), ApiError> {
    if let Some(known) = caller.principal().filter(|_| rule.class != RouteClass::Public) {
        within(known, rule, path)?;
    }
    if allowed(caller, rule) {
        return Ok(());
    }
    Err(denied(caller, path))
}

/// What the operator says of routes, then [`authorise`]. `known`: who came, or why nobody is known.
///
/// # Errors
/// Why nobody is known; 403 for a route that is closed; else those of [`authorise`].
pub fn admit(
    routes: &RouteSettings,
    known: Result<Caller, ApiError>,
    rule: &RouteRule,
    path: &str,
) -> Result<Caller, ApiError> {
    let caller = match known {
        Err(error) if is_nobody(&error) && opened(routes, rule, path) => Caller::Key(Arc::new(public())),
        known => known?,
    };
    left_open(routes, &caller, rule, path)?;
    authorise(&caller, rule, path)?;
    Ok(caller)
}

/// Who is known and refused, or cannot be looked up, is somebody.
fn is_nobody(error: &ApiError) -> bool {
    matches!(error.kind(), Kind::MissingKey | Kind::UnknownKey)
}

/// How those are called who come by a route that the operator has opened.
const PUBLIC: &str = "public_routes";

/// They are one caller with the rights of a plain key, so that what they spend is booked. No key has this text: it begins
/// otherwise.
fn public() -> Principal {
    let mut key = KeyRecord::new(PUBLIC);
    key.alias = Some(PUBLIC.to_owned());
    PUBLIC.clone_into(&mut key.masked);
    Principal::of(key)
}

/// The one route beside those that call models which tells nobody anything of anybody.
const RECKONS: &str = "/spend/calculate";

/// Whether the operator lets everybody in (`public_routes`). Other routes tell of somebody, or change something.
fn opened(routes: &RouteSettings, rule: &RouteRule, path: &str) -> bool {
    let harmless = rule.class == RouteClass::Llm || rule.path == RECKONS;
    harmless && listed(&routes.public, rule, path)
}

/// Whether the operator has left a route open for this caller (`allowed_routes`, `admin_only_routes`). It always is for
/// the master key.
fn left_open(routes: &RouteSettings, caller: &Caller, rule: &RouteRule, path: &str) -> Result<(), ApiError> {
    if rule.class == RouteClass::Public || matches!(caller, Caller::Master(_)) {
        return Ok(());
    }
    if !routes.allowed.is_empty() && !listed(&routes.allowed, rule, path) {
        let message = format!("Access forbidden: Route {path} not allowed");
        return Err(ApiError::new(Kind::RouteNotOfKey, message));
    }
    if !caller.is_admin() && listed(&routes.admin_only, rule, path) {
        let message = format!("user not allowed to access this route. Route={path} is an admin only route");
        return Err(ApiError::new(Kind::RouteNotOfKey, message));
    }
    Ok(())
}

fn listed(routes: &[String], rule: &RouteRule, path: &str) -> bool {
    routes.iter().any(|route| covers(route, rule, path))
}

/// What the key itself is limited to.
fn within(known: &Principal, rule: &RouteRule, path: &str) -> Result<(), ApiError> {
    let of_token = known.token.as_ref().map(|token| &token.routes);
    let mut lists = std::iter::once(&known.key.allowed_routes).chain(of_token);
    let outside =
        |routes: &&Vec<String>| !routes.is_empty() && !routes.iter().any(|route| covers(route, rule, path));
    lists.find(outside).map_or(Ok(()), |routes| Err(not_of_key(routes, path)))
}

/// How a key is refused that is limited to other routes.
pub fn not_of_key(routes: &[String], path: &str) -> ApiError {
    let named: Vec<String> = routes.iter().map(|route| format!("'{route}'")).collect();
    let message = format!(
        "Virtual key is not allowed to call this route. Only allowed to call routes: [{}]. Tried to call route: {path}",
        named.join(", ")
    );
    ApiError::new(Kind::RouteNotOfKey, message)
}

/// `route`: a path, one that ends in `*`, or the name of a group.
fn covers(route: &str, rule: &RouteRule, path: &str) -> bool {
    if let Some((_, classes)) = GROUPS.iter().find(|(name, _)| *name == route) {
        return classes.contains(&rule.class);
    }
    if let Some(prefix) = route.strip_suffix('*') {
        return path.starts_with(prefix);
    }
    let bare = |path: &str| path.strip_prefix("/v1").unwrap_or(path).to_owned();
    route == path || route == rule.path || bare(route) == bare(path)
}

fn denied(caller: &Caller, path: &str) -> ApiError {
    let role = caller.role();
    if role == Some(Role::ProxyAdminViewer) {
        let message = format!(
            "user not allowed to access this route, role= proxy_admin_viewer. Trying to access: {path}"
        );
        return ApiError::new(Kind::RouteDenied, message).with_status(403);
    }
    let message = format!(
        "Authentication Error, Only proxy admin can be used to generate, delete, update info for new \
         keys/users/teams. Route={path}. Your role={}. Your user_id={}",
        role.filter(|role| *role != Role::Team).map_or("unknown", Role::as_str),
        caller.user_id().map_or_else(|| String::from("unknown"), starred)
    );
    ApiError::new(Kind::RouteDenied, message)
}

/// The first six and the last two characters, as LiteLLM shows ids of users.
fn starred(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    let Some(hidden) = chars.len().checked_sub(8).filter(|hidden| *hidden > 0) else {
        return "*".repeat(chars.len());
    };
    let (begin, end) = (&chars[..6], &chars[chars.len() - 2..]);
    begin.iter().copied().chain(std::iter::repeat_n('*', hidden)).chain(end.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::KeyHash;
    use crate::domain::key::TokenLimits;
    use crate::domain::records::User;

    fn caller(role: Option<Role>, routes: &[&str]) -> Caller {
        let mut known = Principal::of(KeyRecord::new("sk-test-of-roles"));
        known.user =
            role.map(|role| User { role: Some(role), id: "u-internal_user".into(), ..User::default() });
        known.key.user_id = known.user.as_ref().map(|user| user.id.clone());
        known.key.allowed_routes = routes.iter().map(|route| (*route).to_owned()).collect();
        Caller::Key(Arc::new(known))
    }

    fn rule(class: RouteClass, grant: Grant) -> RouteRule {
        RouteRule { path: "/key/{key}/regenerate", class, grant }
    }

    #[test]
    fn p37_every_route_denies_by_default() {
        let admin = rule(RouteClass::Management, Grant::ADMIN);
        let roles =
            [None, Some(Role::ProxyAdminViewer), Some(Role::InternalUser), Some(Role::InternalUserViewer)];
        for role in roles {
            assert!(!allowed(&caller(role, &[]), &admin), "{role:?}");
        }
        assert!(!allowed(&Caller::Anonymous, &rule(RouteClass::Llm, Grant::ANY)));
        assert!(allowed(&Caller::Anonymous, &rule(RouteClass::Public, Grant::ADMIN)));
        assert!(allowed(&Caller::Master(KeyHash::of("m")), &admin));
        assert!(allowed(&caller(Some(Role::ProxyAdmin), &[]), &admin));
        assert!(!allowed(&caller(Some(Role::ProxyAdmin), &[]), &rule(RouteClass::Spend, Grant::MASTER)));
    }

    fn lists(public: &[&str], allowed: &[&str], admin_only: &[&str]) -> RouteSettings {
        let list = |routes: &[&str]| routes.iter().map(|route| (*route).to_owned()).collect();
        RouteSettings { public: list(public), allowed: list(allowed), admin_only: list(admin_only) }
    }

    #[test]
    fn p37_only_routes_that_call_models_can_be_opened() {
        let nobody = || Err(ApiError::new(Kind::MissingKey, "nobody"));
        let chat = RouteRule { path: "/v1/chat/completions", class: RouteClass::Llm, grant: Grant::ANY };
        let open = |public: &[&str], rule: &RouteRule| {
            admit(&lists(public, &[], &[]), nobody(), rule, rule.path).is_ok()
        };
        assert!(!open(&[], &chat) && !open(&["/v1/embeddings"], &chat));
        assert!(open(&["/chat/completions"], &chat) && open(&["llm_api_routes"], &chat));
        for class in [RouteClass::Info, RouteClass::Management, RouteClass::Spend, RouteClass::Operation] {
            assert!(!open(&["*", "/key/{key}/regenerate"], &rule(class, Grant::ANY)), "{class:?}");
        }
        let known = admit(&lists(&["*"], &[], &[]), nobody(), &chat, chat.path).unwrap();
        assert!(known.hash().is_some() && !known.is_admin(), "it is booked: {known:?}");
        let closed = lists(&["*"], &[], &["/v1/chat/completions"]);
        assert_eq!(admit(&closed, nobody(), &chat, chat.path).unwrap_err().status(), 403);
    }

    #[test]
    fn p37_closed_routes_are_closed_to_all_but_the_master_key() {
        let path = "/key/sk-1/regenerate";
        let rule = rule(RouteClass::Management, Grant::ANY);
        let may = |lists: &RouteSettings, caller: Caller| admit(lists, Ok(caller), &rule, path).is_ok();
        let (admin, user) = (caller(Some(Role::ProxyAdmin), &[]), caller(Some(Role::InternalUser), &[]));
        let master = Caller::Master(KeyHash::of("m"));
        let elsewhere = lists(&[], &["llm_api_routes"], &[]);
        assert!(!may(&elsewhere, admin.clone()) && !may(&elsewhere, user.clone()));
        assert!(may(&elsewhere, master.clone()));
        let admins = lists(&[], &[], &["/key/*"]);
        assert!(may(&admins, admin) && !may(&admins, user.clone()) && may(&admins, master));
        assert!(may(&lists(&[], &["/key/*"], &["/team/*"]), user));
    }

    #[test]
    fn a_role_has_what_it_is_granted() {
        let internal = rule(RouteClass::Management, Grant::INTERNAL.and(Grant::ORG_ADMIN));
        assert!(allowed(&caller(Some(Role::InternalUser), &[]), &internal));
        assert!(!allowed(&caller(Some(Role::InternalUserViewer), &[]), &internal));
        assert!(allowed(&caller(None, &[]), &rule(RouteClass::Info, Grant::ANY)));
    }

    #[test]
    fn p37_a_key_is_held_to_its_routes() {
        let path = "/key/sk-1/regenerate";
        let rule = rule(RouteClass::Management, Grant::ADMIN);
        for (route, may) in [
            ("management_routes", true),
            ("llm_api_routes", false),
            (path, true),
            ("/key/{key}/regenerate", true),
            ("/key/*", true),
            ("/team/*", false),
        ] {
            let told = authorise(&caller(Some(Role::ProxyAdmin), &[route]), &rule, path);
            assert_eq!(told.is_ok(), may, "{route}");
            assert!(told.err().is_none_or(|error| error.status() == 403), "{route}");
        }
    }

    #[test]
    fn p37_a_token_is_held_to_its_routes_beside_those_of_its_key() {
        let Caller::Key(known) = caller(Some(Role::ProxyAdmin), &["management_routes"]) else {
            panic!("a key")
        };
        let rule = rule(RouteClass::Management, Grant::ADMIN);
        for (routes, may) in [(vec![], true), (vec!["/key/*"], true), (vec!["llm_api_routes"], false)] {
            let mut known = (*known).clone();
            let routes = routes.into_iter().map(String::from).collect();
            known.token = Some(TokenLimits { routes, ..TokenLimits::default() });
            let told = authorise(&Caller::Key(Arc::new(known)), &rule, "/key/sk-1/regenerate");
            assert_eq!(told.is_ok(), may);
        }
    }

    #[test]
    fn p37_only_a_key_of_nobody_provisions_with_its_routes_alone() {
        let rule = RouteRule { path: "/scim/v2/Users", class: RouteClass::Management, grant: Grant::ADMIN };
        let may = |caller: &Caller| authorise(caller, &rule, "/scim/v2/Users").is_ok();
        assert!(may(&caller(None, &["/scim/*"])));
        assert!(may(&caller(Some(Role::ProxyAdmin), &["/scim/*"])));
        assert!(!may(&caller(None, &[])) && !may(&caller(None, &["*"])));
        for role in [Role::ProxyAdminViewer, Role::InternalUser] {
            assert!(!may(&caller(Some(role), &["/scim/*"])), "{role:?}");
        }
        let Caller::Key(known) = caller(None, &["/scim/*"]) else { panic!("a key") };
        let mut of_team = (*known).clone();
        of_team.key.team_id = Some("red".into());
        assert!(!may(&Caller::Key(Arc::new(of_team))));
        let other = RouteRule { path: "/key/generate", ..rule };
        assert!(!allowed(&Caller::Key(known), &other));
    }

    #[test]
    fn p35_a_users_id_is_not_shown_whole() {
        let error = denied(&caller(Some(Role::InternalUser), &[]), "/user/new");
        assert!(
            error.message().ends_with("Your role=internal_user. Your user_id=u-inte*******er"),
            "{error}"
        );
        assert_eq!(starred("short"), "*****");
    }
}
