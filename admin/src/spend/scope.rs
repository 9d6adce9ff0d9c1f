//! Whose spend a caller may see: all of it, or its own.

use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use weir_core::domain::key::Principal;
use weir_core::ports::{Dimension, MAX_ROLLUP_ROWS, Rollup, RollupOrder, RollupQuery, RollupRow};
use weir_core::time::{self, Micros};

/// How far back LiteLLM looks where no dates are given.
const LAST_DAYS: i64 = 30;

/// Days of the sums, both included.
#[derive(Clone, Copy)]
pub(super) struct Days {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Days {
    /// The last thirty days, today included.
    pub(super) fn last() -> Self {
        let today = time::now().day();
        Self { from: today - LAST_DAYS, until: today }
    }

    /// `start_date` and `end_date`, both days included; `None` where neither is given.
    pub(super) fn asked(params: &Params) -> Result<Option<Self>, Refusal> {
        let day = |name: &str, end| -> Result<Option<i64>, Refusal> {
            let moment = params.get(name).map(|text| super::moment(text, end)).transpose()?;
            Ok(moment.map(|at| Micros(at.0 - i64::from(end)).day()))
        };
        let (from, until) = (day("start_date", false)?, day("end_date", true)?);
        if from.is_none() && until.is_none() {
            return Ok(None);
        }
        let last = Self::last();
        Ok(Some(Self { from: from.unwrap_or(0), until: until.unwrap_or(last.until) }))
    }
}

/// The user that a caller is limited to.
///
/// # Errors
/// 401 for a key that belongs to nobody.
pub(super) fn only(context: &Context) -> Result<Option<String>, Refusal> {
    let granted = context.caller.principal().is_some_and(Principal::sees_spend);
    if context.sees_all() || granted {
        return Ok(None);
    }
    let own = context.caller.principal().and_then(|known| known.key.user_id.clone());
    own.map(Some).ok_or_else(|| {
        Refusal::told(401, "auth_error", "None", "This key belongs to no user, so there is nothing to tell.")
    })
}

/// Sums over the days that the caller may see.
pub(super) async fn sums(context: &Context, query: RollupQuery) -> Result<Vec<RollupRow>, Refusal> {
    let query = of_caller(context, RollupQuery { limit: MAX_ROLLUP_ROWS, ..query }).await?;
    complete(context, &query).await
}

/// A query narrowed to what the caller may see.
pub(super) async fn of_caller(context: &Context, mut query: RollupQuery) -> Result<RollupQuery, Refusal> {
    if let Some(user) = only(context)? {
        match query.of {
            Rollup::Keys => query.only.push((Dimension::User, vec![user])),
            // Tags and customers are summed by key: those of the user.
            _ => query.only.push((Dimension::Key, keys_of(context, user).await?)),
        }
    }
    Ok(query)
}

/// All rows of the sums.
///
/// # Errors
/// 400 where there are more than one answer holds: a bill of less than everything would be wrong money.
pub(super) async fn complete(context: &Context, query: &RollupQuery) -> Result<Vec<RollupRow>, Refusal> {
    let rows = context.services.spend.rollup(query).await?;
    // The dearest first: what is cut off is what nobody asked for.
    if query.order == RollupOrder::Names && rows.len() >= query.limit as usize {
        let message =
            format!("More than {} rows of sums. Ask for fewer days, or for one team or key.", rows.len());
        return Err(Refusal::told(400, "bad_request_error", "None", message));
    }
    Ok(rows)
}

async fn keys_of(context: &Context, user: String) -> Result<Vec<String>, Refusal> {
    use weir_core::domain::key::KeyRecord;
    use weir_core::domain::records::Record;
    use weir_core::ports::Condition;
    let keys = context.all::<KeyRecord>(vec![Condition::In("user_id", vec![user])]).await?;
    Ok(keys.iter().map(|key| key.id()).collect())
}
