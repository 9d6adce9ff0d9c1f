//! What LiteLLM keeps in other places than we do: members in their team's row and teams in their members', permissions on
//! objects and aliases of models in tables of their own, and a budget for every organisation.

use super::super::row::Row;
use super::Give;
use super::rows::{Json, raw};
use crate::store::broken;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use weir_core::domain::key::MASTER_USER;
use weir_core::domain::records::{Member, RecordKind, Team};
use weir_core::ports::records::{Page, list};
use weir_core::ports::{Condition, LedgerResult, RecordQuery, Sort, StoredRecord};

/// Members that are looked at together.
const PAGE: u32 = 10_000;

const PERMISSION: &str = "INSERT INTO @LiteLLM_ObjectPermissionTable \
    (object_permission_id, mcp_servers, vector_stores, mcp_access_groups, mcp_tool_permissions, agents, agent_access_groups) \
    SELECT r.object_permission_id, COALESCE(r.mcp_servers, '{}'), COALESCE(r.vector_stores, '{}'), \
        COALESCE(r.mcp_access_groups, '{}'), r.mcp_tool_permissions, COALESCE(r.agents, '{}'), \
        COALESCE(r.agent_access_groups, '{}') \
    FROM json_populate_record(CAST(NULL AS @LiteLLM_ObjectPermissionTable), CAST($1 AS JSON)) r \
    ON CONFLICT (object_permission_id) DO UPDATE SET mcp_servers = EXCLUDED.mcp_servers, \
        vector_stores = EXCLUDED.vector_stores, mcp_access_groups = EXCLUDED.mcp_access_groups, \
        mcp_tool_permissions = EXCLUDED.mcp_tool_permissions, agents = EXCLUDED.agents, \
        agent_access_groups = EXCLUDED.agent_access_groups RETURNING object_permission_id";

const OWN_BUDGET: &str = "INSERT INTO @LiteLLM_BudgetTable (budget_id, created_by, updated_by) VALUES ($1, $2, $2) \
    ON CONFLICT (budget_id) DO UPDATE SET updated_by = EXCLUDED.updated_by RETURNING budget_id";

/// Aliases of a team, in the row that the team names already or in a new one.
const ALIASES: &str = "WITH known AS (SELECT model_id FROM @LiteLLM_TeamTable WHERE team_id = $1 AND model_id IS NOT NULL), \
    changed AS (UPDATE @LiteLLM_ModelTable m SET aliases = CAST($2 AS JSONB), updated_at = CURRENT_TIMESTAMP \
        FROM known WHERE m.id = known.model_id RETURNING m.id), \
    made AS (INSERT INTO @LiteLLM_ModelTable (aliases, created_by, updated_by) \
        SELECT CAST($2 AS JSONB), $3, $3 WHERE NOT EXISTS (SELECT FROM known) RETURNING id) \
    SELECT CAST(id AS TEXT) FROM changed UNION ALL SELECT CAST(id AS TEXT) FROM made";
const NAME_ALIASES: &str =
    "UPDATE @LiteLLM_TeamTable SET model_id = CAST($2 AS INTEGER) WHERE team_id = $1 RETURNING team_id";

impl Give<'_> {
    /// What stands in the rows of these records and nowhere in the records, by id.
    pub(super) async fn beside(
        &self,
        kind: RecordKind,
        page: &[StoredRecord],
    ) -> LedgerResult<HashMap<String, Json>> {
        let mut beside: HashMap<String, Json> = HashMap::new();
        match kind {
            RecordKind::Team => self.members(page, &mut beside).await?,
            RecordKind::User => self.teams(page, &mut beside).await?,
            RecordKind::Organization => self.budgets(page, &mut beside).await?,
            RecordKind::Key => {}
            _ => return Ok(beside),
        }
        for record in page {
            if let Some(id) = self.permission(record).await? {
                beside.entry(record.id.clone()).or_default().insert("object_permission_id", raw(&id)?);
            }
        }
        Ok(beside)
    }

    async fn members(&self, page: &[StoredRecord], beside: &mut HashMap<String, Json>) -> LedgerResult<()> {
        let mut lists: HashMap<String, Vec<Value>> = HashMap::new();
        for member in self.all_members("team_id", page).await? {
            let role = json!({ "role": member.role, "user_id": member.user_id, "user_email": member.email });
            lists.entry(member.team_id).or_default().push(role);
        }
        for record in page {
            let list = lists.remove(&record.id).unwrap_or_default();
            beside.entry(record.id.clone()).or_default().insert("members_with_roles", raw(&list)?);
        }
        Ok(())
    }

    async fn teams(&self, page: &[StoredRecord], beside: &mut HashMap<String, Json>) -> LedgerResult<()> {
        let mut lists: HashMap<String, Vec<String>> = HashMap::new();
        for member in self.all_members("user_id", page).await? {
            lists.entry(member.user_id).or_default().push(member.team_id);
        }
        for record in page {
            let list = lists.remove(&record.id).unwrap_or_default();
            beside.entry(record.id.clone()).or_default().insert("teams", raw(&list)?);
        }
        Ok(())
    }

    /// Members whose `column` is one of these records.
    async fn all_members(&self, column: &'static str, page: &[StoredRecord]) -> LedgerResult<Vec<Member>> {
        let ids: Vec<String> = page.iter().map(|record| record.id.clone()).collect();
        let mut members = Vec::new();
        loop {
            let query = RecordQuery {
                conditions: vec![Condition::In(column, ids.clone())],
                sort: Sort::CreatedAt,
                limit: PAGE,
                offset: u32::try_from(members.len()).unwrap_or(u32::MAX),
                ..RecordQuery::default()
            };
            let Page { records, total } = list::<Member>(self.ledger, &query).await?;
            let last = records.is_empty();
            members.extend(records.into_iter().map(|kept| kept.record));
            if last || members.len() as u64 >= total {
                return Ok(members);
            }
        }
    }

    /// LiteLLM's organisations all have a budget; ours need none.
    async fn budgets(&self, page: &[StoredRecord], beside: &mut HashMap<String, Json>) -> LedgerResult<()> {
        let own = self.target.sql(OWN_BUDGET).unwrap_or_default();
        for record in page {
            let id = match Row::parse(&record.document)?.text("budget_id") {
                Some(id) => id,
                None => self.ask(own.clone(), &[&format!("organization-{}", record.id), MASTER_USER]).await?,
            };
            beside.entry(record.id.clone()).or_default().insert("budget_id", raw(&id)?);
        }
        Ok(())
    }

    /// Writes a record's permissions on objects; answers their id.
    async fn permission(&self, record: &StoredRecord) -> LedgerResult<Option<String>> {
        let document = Row::parse(&record.document)?;
        let (Some(text), Some(statement)) = (document.raw("object_permission"), self.target.sql(PERMISSION))
        else {
            return Ok(None);
        };
        let mut members: BTreeMap<String, Value> = serde_json::from_str(text).map_err(broken)?;
        let own = format!("{}-{}", record.kind.row().table, record.id);
        members.entry(String::from("object_permission_id")).or_insert_with(|| Value::from(own));
        let json = serde_json::to_string(&members).map_err(broken)?;
        self.ask(statement, &[&json]).await.map(Some)
    }

    /// What is written when the rows are there.
    pub(super) async fn after(&self, kind: RecordKind, page: &[StoredRecord]) -> LedgerResult<()> {
        let (Some(aliases), Some(name)) = (self.target.sql(ALIASES), self.target.sql(NAME_ALIASES)) else {
            return Ok(());
        };
        if kind != RecordKind::Team {
            return Ok(());
        }
        for record in page {
            let team: Team = serde_json::from_str(&record.document).map_err(broken)?;
            if team.model_aliases.is_empty() {
                continue;
            }
            let json = serde_json::to_string(&team.model_aliases).map_err(broken)?;
            let id = self.ask(aliases.clone(), &[&team.id, &json, MASTER_USER]).await?;
            self.ask(name.clone(), &[&team.id, &id]).await?;
        }
        Ok(())
    }
}
