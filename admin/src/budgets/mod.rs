//! Budgets: amounts and periods that teams, members, organisations and customers are held to. `routes.rs` is
//! `/budget/*`, `providers.rs` tells what providers may cost; here is what other resources do with budgets.

mod providers;
pub(crate) mod routes;

pub(crate) use routes::{ROUTES, row};

use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::Fields;
use crate::work::Work;
use jiff::tz::TimeZone;
use serde_json::Value;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::Period;
use weir_core::domain::records::{Budget, Kept, Limits, Member, Team};
use weir_core::time::Micros;

/// A budget as other resources show it.
pub(crate) fn told(budget: &Budget) -> Object {
    let money = |amount: Option<NanoUsd>| amount.map_or_else(|| raw(&Value::Null), NanoUsd::json);
    let limits = &budget.limits;
    let models = (!budget.model_max_budget.is_empty()).then_some(&budget.model_max_budget);
    Object(vec![
        ("budget_id", raw(&budget.id)),
        ("soft_budget", money(limits.soft_budget)),
        ("max_budget", money(limits.max_budget)),
        ("max_parallel_requests", raw(&limits.max_parallel_requests)),
        ("tpm_limit", raw(&limits.tpm_limit)),
        ("rpm_limit", raw(&limits.rpm_limit)),
        ("model_max_budget", raw(&models)),
        ("budget_duration", raw(&limits.budget_duration)),
    ])
}

/// # Errors
/// An amount is negative.
pub(crate) fn checked(limits: &Limits) -> Result<(), Refusal> {
    for (name, amount) in [("max_budget", limits.max_budget), ("soft_budget", limits.soft_budget)] {
        if let Some(amount) = amount.filter(|amount| *amount < NanoUsd::ZERO) {
            return Err(Refusal::wrapped(400, &format!("{name} cannot be negative. Received: {amount}")));
        }
    }
    Ok(())
}

/// Begins a period that was asked for: the next reset is at its end.
///
/// # Errors
/// The duration is no period: its budget would never begin anew, and nobody would be told.
pub(crate) fn begin(context: &Context, limits: &mut Limits, now: Micros) -> Result<(), Refusal> {
    period(limits)?;
    begin_kept(context, limits, now);
    Ok(())
}

/// # Errors
/// It is none. An empty text is none that anybody asked for.
fn period(limits: &Limits) -> Result<(), Refusal> {
    let Some(text) = limits.budget_duration.as_deref().filter(|text| !text.is_empty()) else { return Ok(()) };
    if Period::parse(text).is_some() {
        return Ok(());
    }
    let text: String = text.chars().take(64).collect();
    let message =
        format!("budget_duration {text:?} is no period; write it like 30s, 30m, 24h, 30d, 1w or 1mo");
    Err(Refusal::told(400, "bad_request_error", "budget_duration", message))
}

/// The same of what is kept already, or taken as LiteLLM takes it: a text that is no period has no end.
pub(crate) fn begin_kept(context: &Context, limits: &mut Limits, now: Micros) {
    let zone = zone(context);
    let period = limits.budget_duration.as_deref().and_then(Period::parse);
    limits.budget_reset_at = period.and_then(|period| period.end(now, &zone));
}

/// Where midnights are (`litellm_settings.timezone`).
fn zone(context: &Context) -> TimeZone {
    (context.services.config)().litellm.zone()
}

/// What every member of a team may spend.
pub(crate) fn of_members(team: &Team, amount: NanoUsd, now: Micros, context: &Context) -> Budget {
    let id = format!("team-{}-budget-{}", team.alias.as_deref().unwrap_or(&team.id), new_entry_id().simple());
    amounting(id, amount, team.limits.budget_duration.clone(), now, context)
}

/// What one member may spend.
pub(crate) fn own(amount: NanoUsd, duration: Option<String>, now: Micros, context: &Context) -> Budget {
    amounting(new_entry_id().to_string(), amount, duration, now, context)
}

fn amounting(
    id: String,
    amount: NanoUsd,
    duration: Option<String>,
    now: Micros,
    context: &Context,
) -> Budget {
    let limits = Limits { max_budget: Some(amount), budget_duration: duration, ..Limits::default() };
    let mut budget = Budget { id, limits, ..Budget::default() };
    begin_kept(context, &mut budget.limits, now);
    budget
}

/// What is said of a budget's amount and duration. Null means none.
pub(crate) struct Said {
    pub(crate) amount: Option<Option<Raw>>,
    pub(crate) duration: Option<Option<Raw>>,
}

impl Said {
    fn is_nothing(&self) -> bool {
        self.amount.is_none() && self.duration.is_none()
    }

    /// Nothing, or that there is none.
    fn asks_nothing(&self) -> bool {
        [&self.amount, &self.duration].into_iter().all(|said| said.iter().flatten().next().is_none())
    }

    fn put(self, context: &Context, limits: &mut Limits, now: Micros) -> Result<(), Refusal> {
        if let Some(amount) = self.amount {
            limits.max_budget = amount.and_then(|amount| NanoUsd::parse(amount.get()).ok());
        }
        if let Some(duration) = self.duration {
            limits.budget_duration = duration.and_then(|text| serde_json::from_str(text.get()).ok());
            begin(context, limits, now)?;
        }
        checked(limits)
    }
}

/// Changes what every member of a team may spend.
pub(crate) async fn change_of_members(
    context: &Context,
    work: &mut Work<'_>,
    team: &mut Team,
    said: Said,
) -> Result<(), Refusal> {
    if said.is_nothing() {
        return Ok(());
    }
    let kept = match &team.member_budget_id {
        Some(id) => context.get::<Budget>(id).await?,
        None => None,
    };
    let Some(kept) = kept else {
        if said.asks_nothing() {
            return Ok(());
        }
        let mut budget = of_members(team, NanoUsd::ZERO, work.now, context);
        budget.limits.max_budget = None;
        said.put(context, &mut budget.limits, work.now)?;
        fields::put_member(&mut team.metadata, "team_member_budget_id", &budget.id);
        team.member_budget_id = Some(budget.id.clone());
        return work.insert(&budget);
    };
    let mut budget = kept.record.clone();
    said.put(context, &mut budget.limits, work.now)?;
    work.update(&kept, &budget, "updated")
}

/// What is said of a member's own budget. Limits that are not said stay.
pub(crate) struct Own {
    pub(crate) budget: Said,
    pub(crate) tpm: Option<Raw>,
    pub(crate) rpm: Option<Raw>,
}

/// Changes what one member may spend. A budget that is shared by all members is left to the others. Answers the id of
/// the member's budget.
pub(crate) async fn change_own(
    context: &Context,
    work: &mut Work<'_>,
    team: &Kept<Team>,
    member: &Member,
    said: Own,
) -> Result<Option<String>, Refusal> {
    let own = member.budget_id.as_ref().filter(|id| team.member_budget_id.as_ref() != Some(*id));
    let kept = match own {
        Some(id) => context.get::<Budget>(id).await?,
        None => None,
    };
    let begun = || {
        amounting(
            new_entry_id().to_string(),
            NanoUsd::ZERO,
            team.limits.budget_duration.clone(),
            work.now,
            context,
        )
    };
    let mut budget = kept.as_ref().map_or_else(
        || Budget { limits: Limits { max_budget: None, ..begun().limits }, ..begun() },
        |kept| kept.record.clone(),
    );
    said.budget.put(context, &mut budget.limits, work.now)?;
    let number = |given: Option<Raw>| given.and_then(|n| n.get().parse().ok());
    budget.limits.tpm_limit = number(said.tpm).or(budget.limits.tpm_limit);
    budget.limits.rpm_limit = number(said.rpm).or(budget.limits.rpm_limit);
    let id = budget.id.clone();
    match kept {
        Some(kept) => work.update(&kept, &budget, "updated")?,
        None => work.insert(&budget)?,
    }
    Ok(Some(id))
}

/// Reads a budget's fields out of a request for something that is held to it: the budget named in it, one made for it, or
/// none. What is made is noted in `work`.
pub(crate) async fn of_holder(
    context: &Context,
    work: &mut Work<'_>,
    named: Option<String>,
    budget: Option<Budget>,
) -> Result<Option<String>, Refusal> {
    if let Some(id) = named {
        return match context.get::<Budget>(&id).await? {
            Some(_) => Ok(Some(id)),
            None => Err(Refusal::told(
                400,
                "bad_request_error",
                "budget_id",
                format!("Budget id={id} does not exist"),
            )),
        };
    }
    let Some(mut budget) = budget else { return Ok(None) };
    checked(&budget.limits)?;
    let by_hand = budget.limits.budget_reset_at.is_some();
    routes::begin(&mut budget, by_hand, work.now)?;
    work.insert(&budget)?;
    Ok(Some(budget.id))
}

/// A budget's fields in a request; `None` where there are none.
pub(crate) fn sent(sent: &mut Fields) -> Option<Budget> {
    let given = routes::TABLE.iter().any(|field| sent.has(field.name) && field.name != "budget_id");
    let mut budget = Budget { id: new_entry_id().to_string(), ..Budget::default() };
    fields::read(routes::TABLE, sent, &mut budget);
    given.then_some(budget)
}

/// Changes the budget of something by the fields of a request.
pub(crate) async fn change_of_holder(
    context: &Context,
    work: &mut Work<'_>,
    id: Option<&str>,
    sent: &mut Fields,
) -> Result<Option<String>, Refusal> {
    let kept = match id {
        Some(id) => context.get::<Budget>(id).await?,
        None => None,
    };
    let Some(kept) = kept else {
        let made = self::sent(sent);
        return of_holder(context, work, None, made).await;
    };
    let ends = routes::Ends::said(sent);
    let mut budget = kept.record.clone();
    fields::read(routes::TABLE, sent, &mut budget);
    checked(&budget.limits)?;
    ends.put(&kept, &mut budget, work.now)?;
    if budget != kept.record {
        work.update(&kept, &budget, "updated")?;
    }
    Ok(Some(budget.id))
}
