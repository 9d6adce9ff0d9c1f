//! Virtual keys. Their hashes are ours: whoever has a key's text goes on using it.

use super::row::{Refused, Row, refused};
use super::source::{Source, Table, beside};
use super::take::{Context, Part, Taken, extra, limits};
use std::collections::HashMap;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{KeyRecord, Rotation};
use weir_core::ports::{LedgerResult, SpendScope};

/// The team of keys that are sessions of LiteLLM's UI.
const SESSIONS: &str = "litellm-dashboard";

/// What LiteLLM's keys are limited to in objects of others, as one object.
pub(super) const PERMISSION: &str = "SELECT row_to_json(p) FROM @LiteLLM_ObjectPermissionTable p \
    WHERE p.object_permission_id = t.object_permission_id";

/// The aliases of more than one key, each with the key that keeps it.
const SHARED: &str = "SELECT CAST(json_build_array(key_alias, MIN(token)) AS TEXT) FROM @LiteLLM_VerificationToken \
    WHERE key_alias <> '' AND team_id IS DISTINCT FROM 'litellm-dashboard' GROUP BY key_alias HAVING COUNT(*) > 1";

pub(super) static KEYS: Part = Part {
    table: Table {
        name: "LiteLLM_VerificationToken",
        key: &[("token", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "token", "key_name", "key_alias", "spend", "expires", "models", "aliases", "config", "user_id", "team_id",
            "permissions", "max_parallel_requests", "metadata", "blocked", "tpm_limit", "rpm_limit", "max_budget",
            "budget_duration", "budget_reset_at", "allowed_cache_controls", "model_max_budget", "budget_id",
            "organization_id", "created_at", "created_by", "updated_at", "updated_by", "allowed_routes", "auto_rotate",
            "key_rotation_at", "last_rotation_at", "rotation_count", "rotation_interval", "router_settings",
        ],
        beside: &[beside("object_permission", PERMISSION)],
    },
    convert: key,
    notes: &["soft_budget_cooldown and model_spend have no counterpart"],
};

/// Columns that are only told back.
static EXTRA: &[&str] =
    &["config", "router_settings", "allowed_cache_controls", "model_max_budget", "object_permission"];

pub(super) async fn shared_aliases(source: &Source) -> LedgerResult<HashMap<String, String>> {
    let rows = source.ask_all(SHARED, &[]).await?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str::<(String, String)>(row).ok()).collect())
}

fn key(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    if row.text("team_id").as_deref() == Some(SESSIONS) {
        return Err(refused("a session of LiteLLM's UI, not a key"));
    }
    let token = row.required("token")?;
    let (alias, note) = alias(context, row, &token);
    let record = KeyRecord {
        hash: hash(&token)?,
        masked: row.text("key_name").unwrap_or_else(|| String::from("sk-...")),
        alias,
        user_id: row.text("user_id"),
        team_id: row.text("team_id"),
        organization_id: row.text("organization_id"),
        models: row.texts("models"),
        aliases: row.object("aliases"),
        metadata: row.object_text("metadata"),
        limits: limits(row)?,
        budget_id: row.text("budget_id"),
        expires_at: row.moment("expires")?,
        blocked: row.flag("blocked"),
        allowed_routes: row.texts("allowed_routes"),
        permissions: row.object("permissions"),
        rotation: rotation(row)?,
        extra: extra(row, EXTRA),
    };
    Ok(vec![Taken::new(context, row, &record)?.spending(SpendScope::Key, row)?.noting(note)])
}

fn hash(token: &str) -> Result<KeyHash, Refused> {
    match token.starts_with("sk-") {
        // Kept as it is by versions that did not hash.
        true => Ok(KeyHash::of(token)),
        false => KeyHash::from_hex(token).ok_or_else(|| refused("token is no hash of a key")),
    }
}

/// Aliases are unique here, and there they are so by custom only.
fn alias(context: &Context<'_>, row: &Row, token: &str) -> (Option<String>, Option<String>) {
    let alias = row.text("key_alias");
    let shared =
        alias.as_ref().filter(|alias| context.aliases.get(*alias).is_some_and(|first| first != token));
    let Some(shared) = shared else { return (alias, None) };
    let short: String = token.chars().take(8).collect();
    let own = format!("{shared} ({short})");
    let note = format!("the alias {shared} is another key's too: one of them is now called {own}");
    (Some(own), Some(note))
}

fn rotation(row: &Row) -> Result<Rotation, Refused> {
    Ok(Rotation {
        auto: row.flag("auto_rotate"),
        interval: row.text("rotation_interval"),
        next_at: row.moment("key_rotation_at")?,
        last_at: row.moment("last_rotation_at")?,
        count: row.number("rotation_count")?.unwrap_or_default(),
        ..Rotation::default()
    })
}
