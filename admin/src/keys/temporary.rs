//! A budget that is larger for a while: by `temp_budget_increase`, until `temp_budget_expiry`. Both are kept in the key's
//! metadata, as LiteLLM keeps them.

use crate::answer::Raw;
use crate::error::{Problem, Refusal};
use crate::fields::{drop_member, put_member};
use crate::input::{Fields, Shape};
use serde_json::{Value, json};
use weir_core::domain::money::NanoUsd;

const INCREASE: &str = "temp_budget_increase";
const EXPIRY: &str = "temp_budget_expiry";

/// What a request says of it.
pub(super) struct Temporary {
    increase: Option<Option<Raw>>,
    expiry: Option<Option<Raw>>,
}

impl Temporary {
    pub(super) fn sent(sent: &mut Fields) -> Self {
        Self { increase: sent.given(INCREASE, Shape::Number), expiry: sent.given(EXPIRY, Shape::Moment) }
    }

    /// Puts it into the metadata. Null ends it.
    ///
    /// # Errors
    /// 422 for one without the other; 400 for less than nothing.
    pub(super) fn put(self, metadata: &mut String) -> Result<(), Refusal> {
        let is_said = self.increase.is_some() || self.expiry.is_some();
        match (self.increase.flatten(), self.expiry.flatten()) {
            (Some(increase), Some(expiry)) => {
                checked(&increase)?;
                put_member(metadata, INCREASE, &increase);
                put_member(metadata, EXPIRY, &expiry);
            }
            (None, None) if is_said => {
                drop_member(metadata, INCREASE);
                drop_member(metadata, EXPIRY);
            }
            (None, None) => {}
            _ => return Err(alone()),
        }
        Ok(())
    }
}

fn checked(increase: &Raw) -> Result<(), Refusal> {
    match NanoUsd::parse(increase.get()) {
        Ok(amount) if amount < NanoUsd::ZERO => {
            Err(Refusal::wrapped(400, &format!("{INCREASE} cannot be negative. Received: {amount}")))
        }
        _ => Ok(()),
    }
}

fn alone() -> Refusal {
    let message = format!("Value error, {INCREASE} and {EXPIRY} must be set together");
    Problem::new("value_error", vec!["body".into()], message, Value::Null)
        .with_context(json!({ "error": {} }))
        .into()
}
