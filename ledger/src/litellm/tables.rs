//! What becomes of each of LiteLLM's tables.

use super::take::{Part, Take};
use super::{audit, keys, people, settings, teams};
use weir_core::ports::LedgerResult;

/// Tables whose rows become records, in this order: what others name comes first.
static RECORDS: &[&Part] = &[
    &settings::BUDGETS,
    &people::ORGANIZATIONS,
    &people::USERS,
    &people::ORGANIZATION_MEMBERS,
    &teams::TEAMS,
    &teams::MEMBERSHIPS,
    &keys::KEYS,
    &people::CUSTOMERS,
    &settings::TAGS,
    &settings::MODELS,
    &settings::CREDENTIALS,
    &settings::SETTINGS,
    &people::INVITATIONS,
];

/// Tables that are no records of their own, or are not taken, and why.
#[rustfmt::skip]
static OTHERS: &[(&str, &str)] = &[
    ("LiteLLM_ModelTable", "aliases of models are taken with their teams"),
    ("LiteLLM_ObjectPermissionTable", "taken with the keys, teams, users and organisations that name them"),
    ("LiteLLM_ErrorLogs", "an old table: failures are in LiteLLM_SpendLogs too"),
    ("LiteLLM_HealthCheckTable", "results of health checks are of the moment"),
    ("LiteLLM_CronJob", "who runs LiteLLM's background jobs"),
    ("LiteLLM_UserNotifications", "requests for models have no counterpart"),
    ("LiteLLM_CacheConfig", "set the cache up in the configuration"),
    ("LiteLLM_SSOConfig", "set single sign-on up in the configuration or the environment"),
    ("LiteLLM_UISettings", "flags of LiteLLM's own UI"),
    ("LiteLLM_GuardrailsTable", "set guardrails up in the configuration"),
    ("LiteLLM_PromptTable", "prompts have no counterpart"),
    ("LiteLLM_AgentsTable", "agents have no counterpart"),
    ("LiteLLM_DailyAgentSpend", "agents have no counterpart; what they spent is in the sums of keys"),
    ("LiteLLM_MCPServerTable", "MCP servers have no counterpart"),
    ("LiteLLM_ManagedFileTable", "files have no counterpart"),
    ("LiteLLM_ManagedObjectTable", "batches and fine-tuning jobs have no counterpart"),
    ("LiteLLM_ManagedVectorStoresTable", "vector stores have no counterpart"),
    ("LiteLLM_ManagedVectorStoreIndexTable", "vector stores have no counterpart"),
    ("LiteLLM_SearchToolsTable", "search tools have no counterpart"),
    ("LiteLLM_SkillsTable", "skills have no counterpart"),
];

const UNKNOWN: &str = "this version of Weir does not know the table";

impl Take<'_> {
    pub(super) async fn all_records(&mut self) -> LedgerResult<()> {
        for part in RECORDS {
            self.records(part).await?;
        }
        Ok(())
    }

    /// Takes what was changed and spent, and tells of all other tables.
    pub(super) async fn history(&mut self) -> LedgerResult<()> {
        for audited in audit::AUDITED {
            self.audit(audited).await?;
        }
        self.logs().await?;
        self.daily().await?;
        self.others().await
    }

    /// Tells of all tables that nothing was said of yet.
    async fn others(&mut self) -> LedgerResult<()> {
        let source = self.source;
        let tables: Vec<&str> = source.names().filter(|table| !is_taken(table)).collect();
        for table in tables {
            let rows = source.count(table).await?;
            let why = OTHERS.iter().find(|(name, _)| *name == table).map_or(UNKNOWN, |(_, why)| *why);
            let report = self.report.at(table);
            if report.rows == 0 {
                report.rows = rows;
                report.refuse(why, rows, None);
            }
        }
        Ok(())
    }
}

/// Whether rows of it are looked at one by one.
fn is_taken(table: &str) -> bool {
    let records = RECORDS.iter().map(|part| part.table.name);
    records.chain(audit::AUDITED.iter().map(|audited| audited.table.name)).any(|name| name == table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_has_two_fates() {
        for (at, (name, why)) in OTHERS.iter().enumerate() {
            assert!(!is_taken(name) && !why.is_empty(), "{name}");
            assert!(OTHERS.iter().skip(at + 1).all(|(other, _)| other != name), "{name} twice");
        }
    }
}
