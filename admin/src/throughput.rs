//! Throughput that is guaranteed (`rpm_limit_type`, `tpm_limit_type`: `guaranteed_throughput`): such a limit is refused
//! where all keys of a team, or all teams of an organisation, would have more of it together than there is.

use crate::context::Context;
use crate::error::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Budget, Limits, Organization, Team};
use weir_core::ports::Condition;

const GUARANTEED: &str = "guaranteed_throughput";

/// What a key, a team or an organisation may have in a minute.
#[derive(Default, PartialEq)]
struct Share {
    requests: Option<i64>,
    tokens: Option<i64>,
    said: Said,
}

/// What metadata says of it.
#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct Said {
    rpm_limit_type: Option<String>,
    tpm_limit_type: Option<String>,
    model_rpm_limit: Option<Map<String, Value>>,
    model_tpm_limit: Option<Map<String, Value>>,
}

/// Requests, or tokens.
struct Side {
    name: &'static str,
    of_all: fn(&Share) -> Option<i64>,
    of_models: fn(&Share) -> Option<&Map<String, Value>>,
    kind: fn(&Share) -> Option<&str>,
}

static SIDES: [Side; 2] = [
    Side {
        name: "RPM",
        of_all: |share| share.requests,
        of_models: |share| share.said.model_rpm_limit.as_ref(),
        kind: |share| share.said.rpm_limit_type.as_deref(),
    },
    Side {
        name: "TPM",
        of_all: |share| share.tokens,
        of_models: |share| share.said.model_tpm_limit.as_ref(),
        kind: |share| share.said.tpm_limit_type.as_deref(),
    },
];

/// Whose the share is, and of what, in LiteLLM's words.
type Words = (&'static str, &'static str);

// --- who is asked ---

/// `before`: what the key was, where it is changed. What was there already is not refused.
///
/// # Errors
/// 400: the key's team has not so much left.
pub(crate) async fn of_key(
    context: &Context,
    before: Option<&KeyRecord>,
    key: &KeyRecord,
) -> Result<(), Refusal> {
    let share = |key: &KeyRecord| Share::of(&key.limits, &key.metadata);
    let own = share(key);
    let as_before = |before: &KeyRecord| before.team_id == key.team_id && share(before) == own;
    if !own.is_guaranteed() || before.is_some_and(as_before) {
        return Ok(());
    }
    let Some(id) = key.team_id.as_deref() else { return Ok(()) };
    let Some(team) = context.get::<Team>(id).await? else { return Ok(()) };
    let keys = context.every::<KeyRecord>(vec![Condition::In("team_id", vec![id.to_owned()])]).await?;
    let others: Vec<Share> = keys.iter().filter(|other| other.hash != key.hash).map(|k| share(k)).collect();
    fits(&own, &others, &Share::of(&team.limits, &team.metadata), ("Key", "team"))
}

/// The same of a team and its organisation.
///
/// # Errors
/// 400: the organisation has not so much left.
pub(crate) async fn of_team(context: &Context, before: Option<&Team>, team: &Team) -> Result<(), Refusal> {
    let share = |team: &Team| Share::of(&team.limits, &team.metadata);
    let own = share(team);
    let as_before = |before: &Team| before.organization_id == team.organization_id && share(before) == own;
    if !own.is_guaranteed() || before.is_some_and(as_before) {
        return Ok(());
    }
    let Some(id) = team.organization_id.as_deref() else { return Ok(()) };
    let Some(organization) = context.get::<Organization>(id).await? else { return Ok(()) };
    let budget = match organization.budget_id.as_deref() {
        Some(budget) => context.get::<Budget>(budget).await?,
        None => None,
    };
    let limits = budget.map(|budget| budget.record.limits).unwrap_or_default();
    let teams = context.every::<Team>(vec![Condition::In("organization_id", vec![id.to_owned()])]).await?;
    let others: Vec<Share> = teams.iter().filter(|other| other.id != team.id).map(|t| share(t)).collect();
    fits(&own, &others, &Share::of(&limits, &organization.metadata), ("Team", "organization"))
}

fn fits(own: &Share, others: &[Share], whole: &Share, words: Words) -> Result<(), Refusal> {
    match over(own, others, whole, words) {
        Some(message) => Err(Refusal::told(400, "internal_server_error", "None", message)),
        None => Ok(()),
    }
}

/// Why a share is more than is left of the whole.
fn over(own: &Share, others: &[Share], whole: &Share, words: Words) -> Option<String> {
    SIDES.iter().filter(|side| (side.kind)(own) == Some(GUARANTEED)).find_map(|side| {
        let given = others.iter().filter_map(side.of_all).fold(0, i64::saturating_add);
        let of_all =
            (side.of_all)(own).and_then(|asked| side.over(given, asked, (side.of_all)(whole), words));
        of_all.or_else(|| side.over_of_models(own, others, whole, words))
    })
}

// --- Side ---

impl Side {
    fn of_model(&self, share: &Share, model: &str) -> Option<i64> {
        (self.of_models)(share)?.get(model)?.as_i64()
    }

    /// A model has no more than all models together.
    fn over_of_models(&self, own: &Share, others: &[Share], whole: &Share, words: Words) -> Option<String> {
        (self.of_models)(own)?.iter().find_map(|(model, asked)| {
            let asked = asked.as_i64()?;
            let given = others.iter().filter_map(|other| self.of_model(other, model));
            let given = given.fold(0, i64::saturating_add);
            let mut wholes = [(self.of_all)(whole), self.of_model(whole, model)].into_iter();
            wholes.find_map(|whole| self.over(given, asked, whole, words))
        })
    }

    fn over(&self, given: i64, asked: i64, whole: Option<i64>, (whose, of): Words) -> Option<String> {
        let (name, whole) = (self.name, whole?);
        (given.saturating_add(asked) > whole).then(|| {
            format!(
                "Allocated {name} limit={given} + {whose} {name} limit={asked} is greater than {of} {name} \
                 limit={whole}"
            )
        })
    }
}

// --- Share ---

impl Share {
    /// What cannot be read of metadata limits nothing.
    fn of(limits: &Limits, metadata: &str) -> Self {
        let said = serde_json::from_str(metadata).unwrap_or_default();
        Self { requests: limits.rpm_limit, tokens: limits.tpm_limit, said }
    }

    fn is_guaranteed(&self) -> bool {
        SIDES.iter().any(|side| (side.kind)(self) == Some(GUARANTEED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(rpm: Option<i64>, metadata: &str) -> Share {
        Share::of(&Limits { rpm_limit: rpm, ..Limits::default() }, metadata)
    }

    #[test]
    fn what_is_guaranteed_is_refused_beyond_what_is_left_and_everything_else_is_not() {
        let whole = share(Some(100), r#"{"model_rpm_limit": {"a": 50}}"#);
        let others = [share(Some(60), r#"{"model_rpm_limit": {"a": 30}}"#), share(None, "{}")];
        let told = |own: &Share| over(own, &others, &whole, ("Key", "team"));
        let own = |rpm, kind: &str, of_model: i64| {
            let metadata =
                format!(r#"{{"rpm_limit_type": "{kind}", "model_rpm_limit": {{"a": {of_model}}}}}"#);
            share(Some(rpm), &metadata)
        };
        assert_eq!(told(&own(40, GUARANTEED, 20)), None);
        assert_eq!(
            told(&own(41, GUARANTEED, 20)).as_deref(),
            Some("Allocated RPM limit=60 + Key RPM limit=41 is greater than team RPM limit=100")
        );
        assert_eq!(
            told(&own(40, GUARANTEED, 21)).as_deref(),
            Some("Allocated RPM limit=30 + Key RPM limit=21 is greater than team RPM limit=50")
        );
        assert_eq!(told(&own(1_000, "best_effort_throughput", 1_000)), None);
        let unlimited = share(None, "{}");
        assert_eq!(over(&own(i64::MAX, GUARANTEED, 1), &others, &unlimited, ("Key", "team")), None);
    }
}
