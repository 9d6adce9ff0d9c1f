//! Keys, teams and users: where the API keeps them, and what of them is shown. The rest of the code knows none of them.

use serde_json::Value;

pub(super) struct Resource {
    /// In messages.
    pub one: &'static str,
    /// The member that names one.
    pub id: &'static str,
    /// The member that holds its readable name.
    pub alias: &'static str,
    pub list: List,
    /// Path and query parameter.
    pub info: (&'static str, &'static str),
    /// The member of the answer to `info` that is the record.
    pub inside: &'static str,
    pub create: &'static str,
    pub update: &'static str,
    pub block: Switch,
    /// Path, and the member that lists ids.
    pub delete: (&'static str, &'static str),
    pub columns: &'static [Column],
}

/// How a list is asked for.
pub(super) struct List {
    pub path: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    /// The member that lists records, and the parameter that says how many to a page; `None`: the answer is an array.
    pub pages: Option<(&'static str, &'static str)>,
}

/// How something is blocked and unblocked.
#[derive(Clone, Copy)]
pub(super) enum Switch {
    Paths(&'static str, &'static str),
    /// By an update.
    Member(&'static str),
}

/// The column's name, and which member of a record stands in it.
pub(super) struct Column(pub &'static str, pub fn(&Value) -> Value);

pub(super) static KEYS: Resource = Resource {
    one: "key",
    id: "key",
    alias: "key_alias",
    list: List { path: "/key/list", query: &[("return_full_object", "true")], pages: Some(("keys", "size")) },
    info: ("/key/info", "key"),
    inside: "info",
    create: "/key/generate",
    update: "/key/update",
    block: Switch::Paths("/key/block", "/key/unblock"),
    delete: ("/key/delete", "keys"),
    columns: &[
        Column("alias", |v| v["key_alias"].clone()),
        Column("key", |v| v["key_name"].clone()),
        Column("team", |v| v["team_id"].clone()),
        Column("user", |v| v["user_id"].clone()),
        Column("spend", |v| v["spend"].clone()),
        Column("budget", |v| v["max_budget"].clone()),
        Column("expires", |v| v["expires"].clone()),
        Column("blocked", |v| v["blocked"].clone()),
        Column("token", |v| v["token"].clone()),
    ],
};

pub(super) static TEAMS: Resource = Resource {
    one: "team",
    id: "team_id",
    alias: "team_alias",
    list: List { path: "/team/list", query: &[], pages: None },
    info: ("/team/info", "team_id"),
    inside: "team_info",
    create: "/team/new",
    update: "/team/update",
    block: Switch::Paths("/team/block", "/team/unblock"),
    delete: ("/team/delete", "team_ids"),
    columns: &[
        Column("alias", |v| v["team_alias"].clone()),
        Column("team", |v| v["team_id"].clone()),
        Column("spend", |v| v["spend"].clone()),
        Column("budget", |v| v["max_budget"].clone()),
        Column("members", |v| count(&v["members_with_roles"])),
        Column("keys", |v| count(&v["keys"])),
        Column("models", |v| v["models"].clone()),
        Column("blocked", |v| v["blocked"].clone()),
    ],
};

pub(super) static USERS: Resource = Resource {
    one: "user",
    id: "user_id",
    alias: "user_alias",
    list: List { path: "/user/list", query: &[], pages: Some(("users", "page_size")) },
    info: ("/user/info", "user_id"),
    inside: "user_info",
    create: "/user/new",
    update: "/user/update",
    block: Switch::Member("blocked"),
    delete: ("/user/delete", "user_ids"),
    columns: &[
        Column("user", |v| v["user_id"].clone()),
        Column("email", |v| v["user_email"].clone()),
        Column("role", |v| v["user_role"].clone()),
        Column("spend", |v| v["spend"].clone()),
        Column("budget", |v| v["max_budget"].clone()),
        Column("keys", |v| v["key_count"].clone()),
    ],
};

fn count(list: &Value) -> Value {
    list.as_array().map(Vec::len).into()
}
