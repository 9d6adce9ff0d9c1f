//! What limits a caller, found by the first of its requests and kept with its principal; and whom a request names beside its
//! key, kept with what is known of them. So the others neither write the names of counters and accounts nor look for them, and
//! what follows a change of the records finds nothing kept.

use crate::{budgets, rates};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use weir_core::config::SessionCaps;
use weir_core::domain::key::Principal;
use weir_core::ports::Holder;

/// Of one caller.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) budgets: budgets::OfCaller,
    pub(crate) rates: rates::OfCaller,
    /// What its metadata say of sessions.
    pub(crate) session: OnceLock<SessionCaps>,
    priority: OnceLock<Option<Box<str>>>,
}

impl Policy {
    pub(crate) fn of(known: &Principal) -> Arc<Self> {
        known.kept.get()
    }

    /// The same, to look at where it is.
    pub(crate) fn at_hand(known: &Principal) -> Option<&Self> {
        known.kept.at_hand()
    }

    /// How much its requests matter, in the operator's words.
    pub(crate) fn priority(&self, known: &Principal) -> Option<&str> {
        self.priority.get_or_init(|| rates::priority_of(known)).as_deref()
    }
}

/// Of a customer or a tag.
#[derive(Default)]
pub(crate) struct OfHolder {
    /// Whose: one record may limit all customers that have none of their own.
    id: OnceLock<Box<str>>,
    pub(crate) account: OnceLock<Arc<budgets::Account>>,
    pub(crate) counter: OnceLock<Arc<rates::Counter>>,
    pub(crate) owner: OnceLock<Arc<budgets::Owner>>,
}

impl OfHolder {
    /// `None`: there is room for somebody else only.
    pub(crate) fn of<'h>(holder: &'h Holder, id: &str) -> Option<&'h Self> {
        let kept: &Self = holder.kept.at_hand()?;
        let whose = kept.id.get_or_init(|| id.into());
        (**whose == *id).then_some(kept)
    }
}

/// Something for each model that a caller has asked for lately.
pub struct ByModel<T>(RwLock<Vec<(Box<str>, Arc<T>)>>);

/// Models of which something is kept. Clients may name what they like where a pattern serves it.
const MOST: usize = 8;
/// Longer names are not kept.
const LONGEST: usize = 256;

impl<T> Default for ByModel<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> ByModel<T> {
    /// What is kept, if it is still right; else what is made now, which is kept instead.
    pub(crate) fn get(
        &self,
        model: &str,
        is_right: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        if let Some(kept) = self.find(model).filter(|kept| is_right(kept)) {
            return kept;
        }
        let made = Arc::new(make());
        if model.len() <= LONGEST {
            self.keep(model, Arc::clone(&made));
        }
        made
    }

    fn find(&self, model: &str) -> Option<Arc<T>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(name, _)| **name == *model).map(|(_, kept)| Arc::clone(kept))
    }

    fn keep(&self, model: &str, made: Arc<T>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(name, _)| **name != *model);
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push((model.into(), made));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::records::Limits;
    use weir_core::memo::Kept;

    #[test]
    fn p16_customers_who_share_a_record_share_no_account() {
        let (blocked, region, budgeted) = Default::default();
        let shared = Holder { blocked, limits: Limits::default(), region, budgeted, kept: Kept::default() };
        let first = OfHolder::of(&shared, "first").unwrap();
        assert!(OfHolder::of(&shared, "second").is_none());
        assert!(std::ptr::eq(OfHolder::of(&shared, "first").unwrap(), first), "it is found again");
        assert!(OfHolder::of(&shared.clone(), "second").is_some(), "nothing is kept with a copy");
    }

    #[test]
    fn what_is_right_is_kept_and_little_of_it() {
        let kept = ByModel::<u32>::default();
        let get = |model: &str, right: u32, now: u32| *kept.get(model, |kept| *kept == right, || now);
        assert_eq!([get("a", 1, 1), get("a", 1, 2), get("a", 2, 2), get("a", 2, 3)], [1, 1, 2, 2]);
        for other in 0..MOST {
            get(&format!("other-{other}"), 1, 1);
        }
        assert_eq!(kept.0.read().unwrap().len(), MOST);
        assert_eq!(get("a", 2, 4), 4, "others were asked for since");
        let long = "m".repeat(LONGEST + 1);
        assert_eq!([get(&long, 1, 1), get(&long, 1, 2)], [1, 2]);
    }
}
