//! What a batch adds to the sums. Sorted, so that writers that meet take locks in the same order.

use std::collections::{BTreeMap, HashMap};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::records::member_id;
use weir_core::domain::spend::{Entry, Outrun, Status};
use weir_core::ports::{SpendScope, Sums};
use weir_core::time::Micros;

/// Day and dimensions, in the order of the table's columns.
pub(crate) type Place = (i64, Vec<String>);

/// Everything that a batch of entries raises.
#[derive(Default)]
pub(super) struct Raised {
    pub daily: BTreeMap<Place, Sums>,
    pub tags: BTreeMap<Place, Sums>,
    pub customers: BTreeMap<Place, Sums>,
    pub spent: BTreeMap<(&'static str, String), NanoUsd>,
    /// What belongs to a period that is over.
    pub past: BTreeMap<(&'static str, String), NanoUsd>,
}

/// When counting began anew, by scope and id.
pub(super) type Anew = HashMap<(String, String), Micros>;

impl Raised {
    pub(super) fn by(entries: &[&Entry], anew: &Anew) -> Self {
        let mut raised = Self::default();
        entries.iter().for_each(|entry| raised.add_sums(entry, &sums(entry), anew));
        raised
    }

    /// Of this period and of the ones before: a lease is paid off whatever the period.
    pub(super) fn all_spent(&self) -> BTreeMap<(&'static str, String), NanoUsd> {
        let mut all = self.spent.clone();
        for (place, amount) in &self.past {
            *all.entry(place.clone()).or_default() += *amount;
        }
        all
    }

    /// What the sums must be raised by when these entries cost something else: amounts, and no requests or tokens.
    pub(super) fn by_difference(changes: &[(&Entry, NanoUsd)], anew: &Anew) -> Self {
        let mut raised = Self::default();
        for (entry, cost) in changes {
            let difference = NanoUsd(cost.0.saturating_sub(entry.cost.0));
            raised.add_sums(
                // What was outrun keeps its price.
                &Entry { cost: difference, outrun: Vec::new(), ..(*entry).clone() },
                &Sums { cost: difference, ..Sums::default() },
                anew,
            );
        }
        raised
    }

    fn add_sums(&mut self, entry: &Entry, sums: &Sums, anew: &Anew) {
        let key = entry.key_hash.map(|hash| hash.hex()).unwrap_or_default();
        self.add_day(entry, &key, (&entry.provider, &entry.model), sums);
        for outrun in &entry.outrun {
            // Nobody was answered there: what it cost is all that there is of it.
            let cost = Sums { cost: outrun.cost, ..Sums::default() };
            let model = if outrun.model.is_empty() { &entry.model } else { &outrun.model };
            self.add_day(entry, &key, (&outrun.provider, model), &cost);
        }
        for ((scope, id), amount) in scopes(entry, key) {
            let past = |since: &Micros| entry.started_at < *since;
            let is_past =
                !anew.is_empty() && anew.get(&(scope.as_str().to_owned(), id.clone())).is_some_and(past);
            let spent = if is_past { &mut self.past } else { &mut self.spent };
            *spent.entry((scope.as_str(), id)).or_default() += amount;
        }
    }
}

impl Raised {
    /// What was done by one of the providers that were asked, with one of its models.
    fn add_day(&mut self, entry: &Entry, key: &str, (provider, model): (&str, &str), sums: &Sums) {
        let day = entry.started_at.day();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let place = vec![
            key.to_owned(),
            text(&entry.user_id),
            text(&entry.team_id),
            text(&entry.organization_id),
            entry.model_group.clone(),
            model.to_owned(),
            provider.to_owned(),
            entry.operation.row().call_type.to_owned(),
        ];
        raise(&mut self.daily, (day, place), sums);
        let of = |name: &String| {
            vec![name.clone(), key.to_owned(), entry.model_group.clone(), provider.to_owned()]
        };
        for tag in &entry.tags {
            raise(&mut self.tags, (day, of(tag)), sums);
        }
        if let Some(customer) = &entry.end_user {
            raise(&mut self.customers, (day, of(customer)), sums);
        }
    }
}

fn raise(all: &mut BTreeMap<Place, Sums>, place: Place, sums: &Sums) {
    all.entry(place).or_default().add(sums);
}

/// Without what was outrun.
fn sums(entry: &Entry) -> Sums {
    let (took, first_token) = times(entry);
    Sums {
        cost: entry.own_cost(),
        requests: 1,
        failures: i64::from(entry.status != Status::Success),
        input: number(entry.usage.input),
        output: number(entry.usage.output),
        cache_read: number(entry.usage.cache_read),
        cache_write: number(entry.usage.cache_write.saturating_add(entry.usage.cache_write_1h)),
        timed: i64::from(took.is_some()),
        took: took.unwrap_or_default(),
        streamed: i64::from(first_token.is_some()),
        first_token: first_token.unwrap_or_default(),
    }
}

/// No answer takes longer than a day, in microseconds: what a clock that was set, or somebody else's log, says beyond it must
/// not be most of a sum.
const LONGEST: i64 = 86_400 * 1_000_000;

/// Microseconds to the end, and of a stream to its first token. Of what went well: a refusal is quick, and who has left was
/// tired of waiting. An answer from the cache says nothing of a model, and a realtime session lasts as long as people talk.
fn times(entry: &Entry) -> (Option<i64>, Option<i64>) {
    if entry.status != Status::Success || entry.cache_hit || entry.operation == Operation::Realtime {
        return (None, None);
    }
    let after = |at: Micros| at.since(entry.started_at).min(LONGEST);
    let first_token = entry.first_token_at.filter(|_| entry.stream);
    (Some(after(entry.ended_at)), first_token.map(after))
}

/// Under which ids an entry counts, and how much. What costs nothing raises nothing.
fn scopes(entry: &Entry, key: String) -> Vec<((SpendScope, String), NanoUsd)> {
    if entry.cost == NanoUsd::ZERO {
        return Vec::new();
    }
    let member = entry.team_id.as_ref().zip(entry.user_id.as_ref());
    let given = [
        (SpendScope::Key, Some(key)),
        (SpendScope::Team, entry.team_id.clone()),
        (SpendScope::User, entry.user_id.clone()),
        (SpendScope::Organization, entry.organization_id.clone()),
        (SpendScope::Customer, entry.end_user.clone()),
        (SpendScope::Member, member.map(|(team, user)| member_id(team, user))),
        (SpendScope::Model, Some(entry.model_group.clone())),
        (SpendScope::Provider, Some(entry.provider.clone())),
        (SpendScope::Deployment, Some(entry.deployment_id.clone())),
    ];
    let given = given.into_iter().filter_map(|(scope, id)| Some((scope, id.filter(|id| !id.is_empty())?)));
    let tags = entry.tags.iter().map(|tag| (SpendScope::Tag, tag.clone()));
    let all = given.chain(tags).chain(entry.accounts.iter().cloned());
    let own = all.map(|(scope, id)| ((scope, id), entry.cost_in(scope)));
    own.chain(entry.outrun.iter().flat_map(of_outrun)).filter(|(_, cost)| *cost != NanoUsd::ZERO).collect()
}

/// Whoever was asked in vain.
fn of_outrun(outrun: &Outrun) -> impl Iterator<Item = ((SpendScope, String), NanoUsd)> {
    let named = [
        (SpendScope::Provider, outrun.provider.clone()),
        (SpendScope::Deployment, outrun.deployment_id.clone()),
    ];
    named.into_iter().chain(outrun.accounts.iter().cloned()).map(move |place| (place, outrun.cost))
}

pub(super) fn number(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
