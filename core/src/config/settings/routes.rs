//! `public_routes`, `allowed_routes` and `admin_only_routes` of `general_settings`: which routes the operator opens and
//! closes, before anybody looks at what a caller may.

use super::super::problems::Problems;
use super::super::section::Section;

/// Lists of routes: paths, paths that end in `*`, or LiteLLM's names of groups.
#[derive(Clone, Debug, Default)]
pub struct RouteSettings {
    /// Nobody needs a key there. Only what calls models, or reckons, can be opened (`access::admit`).
    pub public: Vec<String>,
    /// All others are closed; empty: none is. Not for the master key, which could not mend it otherwise.
    pub allowed: Vec<String>,
    /// Only proxy admins may call them.
    pub admin_only: Vec<String>,
}

/// How LiteLLM writes a group of its own: `LiteLLMRoutes.llm_api_routes`.
const GROUP: &str = "LiteLLMRoutes.";

/// LiteLLM's group of those that need no key anyway.
const PUBLIC: &str = "public_routes";

/// Routes of people's own affairs, by how they begin.
static CLOSED: &[&str] = &[
    "/key",
    "/user",
    "/team",
    "/organization",
    "/customer",
    "/end_user",
    "/budget",
    "/tag",
    "/model/",
    "/config",
    "/global",
    "/scim",
    "/audit",
    "/invitation",
    "/sso",
    "/cache",
    "/credentials",
    "/spend/logs",
    "/spend/keys",
    "/spend/users",
    "/spend/tags",
];

impl RouteSettings {
    /// `public`: more of them, which another section names.
    pub(super) fn read(s: &Section, public: &[String], problems: &mut Problems) -> Self {
        let plain = |route: String| route.strip_prefix(GROUP).map(str::to_owned).unwrap_or(route);
        let plain = |routes: Vec<String>| -> Vec<String> {
            routes.into_iter().map(plain).filter(|route| !route.is_empty()).collect()
        };
        let list = |name: &str| plain(s.texts(name).unwrap_or_default());
        let mut opened = list("public_routes");
        opened.extend(plain(public.to_vec()).into_iter().filter(|route| route != PUBLIC));
        let settings =
            Self { public: opened, allowed: list("allowed_routes"), admin_only: list("admin_only_routes") };
        let closed = |route: &&String| CLOSED.iter().any(|begin| route.starts_with(begin));
        for route in settings.public.iter().filter(closed) {
            let message = format!("{route:?} still needs a key: only routes that call models are opened");
            problems.warn(&s.place("public_routes"), message, "remove it");
        }
        settings
    }
}
