//! Microsoft's Graph: the groups of somebody whose token does not name them, because nobody set that up or they are too
//! many, and which groups were given the application. Where it may not be asked, what the token says counts.

use super::claims::Group;
use super::tokens::{encoded_text, with_token};
use serde_json::{Map, Value};
use weir_core::config::env::Env;
use weir_core::ports::identity::Fetch;

const USUAL: &str = "https://graph.microsoft.com/v1.0";
/// Of a list, each of as many entries as an answer has room for.
const PAGES: usize = 10;
const EACH: usize = 100;
/// What is asked of those who were given an application.
const GIVEN: &str = "$select=principalId,principalType,principalDisplayName";
/// Longer texts are no id.
const LONGEST: usize = 256;

/// How Graph is asked.
pub(super) struct Graph {
    /// Without a slash at the end.
    base: String,
    /// The enterprise application whose groups are teams, and the only ones.
    principal: Option<String>,
}

impl Graph {
    pub(super) fn of(env: &Env) -> Self {
        let base = env.filled("MICROSOFT_GRAPH_ENDPOINT").unwrap_or(USUAL);
        let principal = env.filled("MICROSOFT_SERVICE_PRINCIPAL_ID").map(str::to_owned);
        Self { base: base.trim_end_matches('/').to_owned(), principal }
    }

    /// Writes groups into the claims that name none, and takes those away that were not given the application. The groups
    /// that were.
    pub(super) async fn add_groups(
        &self,
        http: &dyn Fetch,
        token: &str,
        claims: &mut Map<String, Value>,
    ) -> Vec<Group> {
        if !claims.contains_key("groups") {
            match self.list(http, token, "/me/memberOf?$select=id").await {
                Ok(all) => write(claims, all.iter().filter_map(own).map(|group| group.id).collect()),
                Err(why) => tracing::debug!("groups are as the token says: {why}"),
            }
        }
        let Some(principal) = &self.principal else { return Vec::new() };
        let path = format!("/servicePrincipals/{}/appRoleAssignedTo?{GIVEN}", encoded_text(principal));
        match self.list(http, token, &path).await {
            Ok(all) => {
                let given: Vec<Group> = all.iter().filter_map(assigned).collect();
                keep(claims, &given);
                given
            }
            Err(why) => {
                tracing::warn!("the groups of the enterprise application are not known: {why}");
                claims.remove("groups");
                claims.insert(String::from("hasgroups"), true.into());
                Vec::new()
            }
        }
    }

    /// All entries of a list. Only Graph itself is shown the token.
    async fn list(&self, http: &dyn Fetch, token: &str, path: &str) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        let mut next = Some(format!("{}{path}&$top={EACH}", self.base));
        for _ in 0..PAGES {
            let Some(address) = next else { return Ok(all) };
            let page = with_token(http, &address, token, &[]).await?;
            all.extend(page.get("value").and_then(Value::as_array).cloned().unwrap_or_default());
            let more = page.get("@odata.nextLink").and_then(Value::as_str);
            next = more.filter(|link| link.starts_with(&format!("{}/", self.base))).map(str::to_owned);
        }
        next.map_or(Ok(all), |_| Err(format!("{path} has more than {} entries", PAGES * EACH)))
    }
}

// --- what it tells ---

fn write(claims: &mut Map<String, Value>, groups: Vec<String>) {
    claims.remove("_claim_names");
    claims.remove("hasgroups");
    claims.insert(String::from("groups"), groups.into());
}

fn keep(claims: &mut Map<String, Value>, given: &[Group]) {
    if let Some(Value::Array(groups)) = claims.get_mut("groups") {
        groups.retain(|id| given.iter().any(|group| *id == group.id.as_str()));
    }
}

/// Of what somebody belongs to, roles of the directory are no groups.
fn own(entry: &Value) -> Option<Group> {
    (entry["@odata.type"] == "#microsoft.graph.group").then(|| group(&entry["id"], &Value::Null)).flatten()
}

/// Applications are given to people, too.
fn assigned(entry: &Value) -> Option<Group> {
    let is_group = entry["principalType"] == "Group";
    is_group.then(|| group(&entry["principalId"], &entry["principalDisplayName"])).flatten()
}

fn group(id: &Value, name: &Value) -> Option<Group> {
    let id = id.as_str().filter(|id| !id.is_empty() && id.len() <= LONGEST && !id.contains('\0'))?;
    Some(Group { id: id.to_owned(), name: name.as_str().map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_are_those_of_the_application_and_nothing_else_is_one() {
        let entry = |kind: &str, id: &str| json!({ "principalType": kind, "principalId": id, "principalDisplayName": "Red" });
        let all = [entry("Group", "g-1"), entry("User", "u-1"), entry("Group", ""), json!({})];
        let given: Vec<Group> = all.iter().filter_map(assigned).collect();
        assert_eq!(given, [Group { id: "g-1".into(), name: Some("Red".into()) }]);
        let mut claims = Map::new();
        write(&mut claims, vec!["g-1".into(), "g-2".into()]);
        keep(&mut claims, &given);
        assert_eq!(claims["groups"], json!(["g-1"]));
        assert_eq!(own(&json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": "r" })), None);
    }
}
