//! What falls due by itself: keys are rotated, budgets begin again. Every replica looks; the version of a record decides
//! whose change counts, so each happens once.

use crate::budgets;
use crate::context::Context;
use crate::error::Refusal;
use crate::keys;
use crate::service::Services;
use crate::work::Work;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Budget, Kept, Limits, Record, Session, Team, User};
use weir_core::ports::meter::{Call, Meter, Service};
use weir_core::ports::{Change, Condition, LedgerError, RecordQuery, ResetOf, Sort, SpendScope, records};
use weir_core::time::{self, Micros};

/// What was made on another replica is seen that late at most; what is known of happens on time.
const LONGEST: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(20);
/// Of one kind in one round.
const AT_ONCE: u32 = 500;
/// Further away than anything that is planned.
const EVER: Micros = Micros(i64::MAX);

/// Whose spend a budget limits, beside what has limits of its own.
static HOLDERS: &[SpendScope] =
    &[SpendScope::Key, SpendScope::Member, SpendScope::Organization, SpendScope::Customer, SpendScope::Tag];

/// Runs for the life of the process. `meter` hears how long each round takes.
pub async fn keep_due(services: Arc<Services>, meter: Arc<dyn Meter>) {
    let context = Context::of_the_gateway(services);
    loop {
        let begun = Instant::now();
        let done = round(&context).await;
        let error = done.as_ref().err().and_then(LedgerError::class);
        meter.took(&Call { service: Service::Resets, operation: "round", took: begun.elapsed(), error });
        let wait = match done {
            Ok(next) => until(next),
            Err(error) => {
                tracing::warn!("what is due waits for the ledger: {error}");
                LONGEST
            }
        };
        tokio::time::sleep(wait).await;
    }
}

fn until(next: Option<Micros>) -> Duration {
    let Some(next) = next else { return LONGEST };
    let micros = next.0.saturating_sub(time::now().0).max(0);
    Duration::from_micros(micros.unsigned_abs()).clamp(SHORTEST, LONGEST)
}

/// Does all that is due; answers when something is due next.
async fn round(context: &Context) -> Result<Option<Micros>, LedgerError> {
    for key in due::<KeyRecord>(context, "rotates_at").await? {
        done(&key.masked, keys::rotate_due(context, &key).await);
    }
    forget_sessions(context).await?;
    let mut dues = vec![next::<KeyRecord>(context, "rotates_at").await?];
    if !(context.services.config)().general.keeping.without_resets {
        dues.extend(resets(context).await?);
    }
    Ok(dues.into_iter().flatten().min())
}

/// Budgets that begin again; answers when others do.
async fn resets(context: &Context) -> Result<[Option<Micros>; 4], LedgerError> {
    for key in due::<KeyRecord>(context, "resets_at").await? {
        done(&key.masked, begin(context, &key, |key| &mut key.limits, SpendScope::Key).await);
    }
    for team in due::<Team>(context, "resets_at").await? {
        done(&team.id, begin(context, &team, |team| &mut team.limits, SpendScope::Team).await);
    }
    for user in due::<User>(context, "resets_at").await? {
        done(&user.id, begin(context, &user, |user| &mut user.limits, SpendScope::User).await);
    }
    for budget in due::<Budget>(context, "resets_at").await? {
        done(&budget.id, begin_for_all(context, &budget).await);
    }
    Ok([
        next::<KeyRecord>(context, "resets_at").await?,
        next::<Team>(context, "resets_at").await?,
        next::<User>(context, "resets_at").await?,
        next::<Budget>(context, "resets_at").await?,
    ])
}

/// Sessions that are over are not kept.
async fn forget_sessions(context: &Context) -> Result<(), LedgerError> {
    let over = due::<Session>(context, "expires_at").await?;
    if over.is_empty() {
        return Ok(());
    }
    let changes: Vec<Change> = over.iter().map(|kept| records::delete(&kept.record)).collect();
    context.directory().commit(&changes, &[]).await
}

/// Another replica was quicker, or it is tried again in the next round.
fn done(id: &str, result: Result<(), Refusal>) {
    if let Err(refusal) = result.map_err(|refusal| refusal.message()) {
        tracing::debug!("{id} is due and was not changed: {refusal}");
    }
}

async fn due<T: Record>(context: &Context, column: &'static str) -> Result<Vec<Kept<T>>, LedgerError> {
    let query = RecordQuery {
        conditions: vec![Condition::Due(column, time::now())],
        sort: Sort::Column(column),
        limit: AT_ONCE,
        ..RecordQuery::default()
    };
    Ok(records::list(context.directory(), &query).await?.records)
}

async fn next<T: Record>(context: &Context, column: &'static str) -> Result<Option<Micros>, LedgerError> {
    let query = RecordQuery {
        conditions: vec![Condition::Due(column, EVER)],
        sort: Sort::Column(column),
        limit: 1,
        ..RecordQuery::default()
    };
    let first = context.directory().list(T::KIND, &query).await?.records.into_iter().next();
    let at = T::KIND.row().columns.iter().position(|name| *name == column);
    let told = first.zip(at).and_then(|(stored, at)| stored.columns.get(at).cloned().flatten());
    Ok(told.and_then(|text| text.parse().ok()).map(Micros))
}

/// A new period, in which nothing is spent yet.
async fn begin<T: Record>(
    context: &Context,
    kept: &Kept<T>,
    limits: fn(&mut T) -> &mut Limits,
    scope: SpendScope,
) -> Result<(), Refusal> {
    let mut work = Work::new(context);
    let mut record = kept.record.clone();
    budgets::begin_kept(context, limits(&mut record), work.now);
    work.goes_on(kept, &record)?;
    work.reset(scope, ResetOf::Id(record.id()));
    work.commit().await
}

/// The same for all whom a budget limits.
async fn begin_for_all(context: &Context, kept: &Kept<Budget>) -> Result<(), Refusal> {
    let mut work = Work::new(context);
    let mut budget = kept.record.clone();
    budgets::begin_kept(context, &mut budget.limits, work.now);
    work.goes_on(kept, &budget)?;
    HOLDERS.iter().for_each(|scope| work.reset(*scope, ResetOf::Budget(budget.id.clone())));
    let config = (context.services.config)();
    if config.litellm.customer_budget_id.as_ref() == Some(&budget.id) {
        work.reset(SpendScope::Customer, ResetOf::Rest);
    }
    work.commit().await
}
