//! Parts of an entry as JSON, without what says nothing: every entry is written, and most are never read. In the
//! journal, which does not describe itself, they stand whole.

use serde::{Serialize, Serializer};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{BudgetSeen, Charge, Explained, SpendScope};
use weir_core::domain::usage::Usage;
use weir_core::time::Micros;

/// A member that is zero is left out where the first programs did not know it either: they ask for the others. The tier
/// stands beside it.
pub(super) fn usage<S: Serializer>(of: &Usage, out: S) -> Result<S::Ok, S::Error> {
    #[rustfmt::skip]
    let Usage {
        input, output, cache_read, audio_cache_read, cache_write, cache_write_1h, reasoning, audio_input, audio_output,
        image_input, image_output, searches, tier: _,
    } = *of;
    let always = [
        ("input", input),
        ("output", output),
        ("cache_read", cache_read),
        ("cache_write", cache_write),
        ("cache_write_1h", cache_write_1h),
        ("reasoning", reasoning),
        ("audio_input", audio_input),
        ("audio_output", audio_output),
    ];
    let rare = [
        ("audio_cache_read", audio_cache_read),
        ("image_input", image_input),
        ("image_output", image_output),
        ("searches", searches),
    ];
    out.collect_map(always.into_iter().chain(rare.into_iter().filter(|(_, count)| *count > 0)))
}

pub(super) fn explained<S: Serializer>(of: &Explained, out: S) -> Result<S::Ok, S::Error> {
    let Explained { considered, charges, budgets } = of;
    Told { considered, charges, budgets: budgets.iter().map(Seen::of).collect() }.serialize(out)
}

#[derive(Serialize)]
struct Told<'e> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    considered: &'e [String],
    #[serde(skip_serializing_if = "<[Charge]>::is_empty")]
    charges: &'e [Charge],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<Seen<'e>>,
}

#[derive(Serialize)]
struct Seen<'e> {
    scope: SpendScope,
    id: &'e str,
    cap: NanoUsd,
    before: NanoUsd,
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<Micros>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
}

impl<'e> Seen<'e> {
    fn of(seen: &'e BudgetSeen) -> Self {
        let BudgetSeen { scope, id, cap, before, resets_at, refused } = seen;
        Self { scope: *scope, id, cap: *cap, before: *before, resets_at: *resets_at, refused: *refused }
    }
}
