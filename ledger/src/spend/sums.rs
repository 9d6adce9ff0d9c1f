//! What a batch adds to the sums. Sorted, so that writers that meet take locks in the same order. Names are the
//! entries' own until they are written: most entries of a batch are summed under names that others of it have.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use weir_core::domain::latency::Latency;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::records::member_id;
use weir_core::domain::spend::{Entry, Outrun, Status};
use weir_core::ports::{SpendScope, Sums};
use weir_core::time::Micros;

/// Day and dimensions, in the order of the table's columns.
pub(crate) type Place = (i64, Vec<String>);

/// Sums under days and so many dimensions.
type Days<'e, const COUNT: usize, S = Sums> = BTreeMap<(i64, [&'e str; COUNT]), S>;

/// Amounts by scope and id.
pub(super) type Spent<'e> = BTreeMap<Account<'e>, NanoUsd>;

/// Everything that a batch of entries raises.
#[derive(Default)]
pub(super) struct Raised<'e> {
    daily: Days<'e, 8>,
    tags: Days<'e, 4>,
    customers: Days<'e, 4>,
    latencies: Days<'e, 2, Latency>,
    pub spent: Spent<'e>,
    /// What belongs to a period that is over.
    pub past: Spent<'e>,
}

/// What one entry adds.
struct Added<'e> {
    entry: &'e Entry,
    key: &'e str,
    cost: NanoUsd,
    /// Of it what is the deployment's that answered, and its provider's.
    own: NanoUsd,
    /// The rest.
    outrun: &'e [Outrun],
}

/// An entry, and its key as text; empty for none.
pub(super) type Keyed<'e> = (&'e Entry, &'e str);

/// The keys of entries as text, in their order.
pub(super) fn keys<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    entries.map(|entry| entry.key_hash.map(|hash| hash.hex()).unwrap_or_default()).collect()
}

/// When counting began anew, by scope and id.
pub(super) type Anew = HashMap<(String, String), Micros>;

impl<'e> Raised<'e> {
    pub(super) fn by(entries: &[Keyed<'e>], anew: &Anew) -> Self {
        let mut raised = Self::default();
        for (entry, key) in entries.iter().copied() {
            let (cost, own, outrun) = (entry.cost, entry.own_cost(), entry.outrun.as_slice());
            raised.add(&Added { entry, key, cost, own, outrun }, &sums(entry), anew);
            raised.time(entry);
        }
        raised
    }

    /// Of this period and of the ones before: a lease is paid off whatever the period.
    pub(super) fn all_spent(&self) -> BTreeMap<(&'static str, String), NanoUsd> {
        let mut all = BTreeMap::new();
        for ((scope, id), amount) in self.spent.iter().chain(&self.past) {
            *all.entry((scope.as_str(), id.clone().into_owned())).or_default() += *amount;
        }
        all
    }

    /// What the sums must be raised by when these entries cost something else: amounts, and no requests or tokens.
    pub(super) fn by_difference(changes: &[(Keyed<'e>, NanoUsd)], anew: &Anew) -> Self {
        let mut raised = Self::default();
        for ((entry, key), cost) in changes.iter().copied() {
            let cost = NanoUsd(cost.0.saturating_sub(entry.cost.0));
            // What was outrun keeps its price.
            let added = Added { entry, key, cost, own: cost, outrun: &[] };
            raised.add(&added, &Sums { cost, ..Sums::default() }, anew);
        }
        raised
    }

    /// The sums by day: by key, by tag, by customer.
    pub(super) fn days(&self) -> [Vec<(Place, Sums)>; 3] {
        [rows(&self.daily), rows(&self.tags), rows(&self.customers)]
    }

    /// How long answers took, by model group and provider.
    pub(super) fn latencies(&self) -> Vec<(Place, Latency)> {
        rows(&self.latencies)
    }

    fn time(&mut self, entry: &'e Entry) {
        let (Some(took), first_token) = times(entry) else { return };
        let place = (entry.started_at.day(), [entry.model_group.as_str(), entry.provider.as_str()]);
        let latency = self.latencies.entry(place).or_default();
        latency.took.count(took);
        if let Some(micros) = first_token {
            latency.first_token.count(micros);
        }
    }

    fn add(&mut self, added: &Added<'e>, sums: &Sums, anew: &Anew) {
        let entry = added.entry;
        self.add_day(added, (&entry.provider, &entry.model), sums);
        for outrun in added.outrun {
            // Nobody was answered there: what it cost is all that there is of it.
            let cost = Sums { cost: outrun.cost, ..Sums::default() };
            let model = if outrun.model.is_empty() { &entry.model } else { &outrun.model };
            self.add_day(added, (&outrun.provider, model), &cost);
        }
        for ((scope, id), amount) in scopes(added) {
            let past = |since: &Micros| entry.started_at < *since;
            let is_past =
                !anew.is_empty() && anew.get(&(scope.as_str().to_owned(), id.to_string())).is_some_and(past);
            let spent = if is_past { &mut self.past } else { &mut self.spent };
            *spent.entry((scope, id)).or_default() += amount;
        }
    }

    /// What was done by one of the providers that were asked, with one of its models.
    fn add_day(&mut self, added: &Added<'e>, (provider, model): (&'e str, &'e str), sums: &Sums) {
        let Added { entry, key, .. } = *added;
        let (day, group) = (entry.started_at.day(), entry.model_group.as_str());
        let call_type = entry.operation.row().call_type;
        let [user, team, organization] = [&entry.user_id, &entry.team_id, &entry.organization_id]
            .map(|id| id.as_deref().unwrap_or_default());
        let place = [key, user, team, organization, group, model, provider, call_type];
        self.daily.entry((day, place)).or_default().add(sums);
        for tag in &entry.tags {
            self.tags.entry((day, [tag.as_str(), key, group, provider])).or_default().add(sums);
        }
        if let Some(customer) = &entry.end_user {
            self.customers.entry((day, [customer.as_str(), key, group, provider])).or_default().add(sums);
        }
    }
}

fn rows<const COUNT: usize, S: Copy>(days: &Days<'_, COUNT, S>) -> Vec<(Place, S)> {
    let owned = |names: &[&str; COUNT]| names.iter().map(|name| (*name).to_owned()).collect();
    days.iter().map(|((day, names), sums)| ((*day, owned(names)), *sums)).collect()
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

/// No answer takes longer than a day, in microseconds: what a clock that was set, or somebody else's log, says beyond
/// it must not be most of a sum.
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

/// An account.
type Account<'e> = (SpendScope, Cow<'e, str>);

/// Under which ids an entry counts, and how much. What costs nothing raises nothing.
fn scopes<'e>(added: &Added<'e>) -> impl Iterator<Item = (Account<'e>, NanoUsd)> {
    let Added { entry, key, cost, own, outrun } = *added;
    let given = [
        (SpendScope::Key, Some(key)),
        (SpendScope::Team, entry.team_id.as_deref()),
        (SpendScope::User, entry.user_id.as_deref()),
        (SpendScope::Organization, entry.organization_id.as_deref()),
        (SpendScope::Customer, entry.end_user.as_deref()),
        (SpendScope::Model, Some(entry.model_group.as_str())),
        (SpendScope::Provider, Some(entry.provider.as_str())),
        (SpendScope::Deployment, Some(entry.deployment_id.as_str())),
    ];
    let given = given.into_iter().filter_map(|(scope, id)| Some((scope, id.filter(|id| !id.is_empty())?)));
    let tags = entry.tags.iter().map(|tag| (SpendScope::Tag, tag.as_str()));
    let all = given.chain(tags).chain(entry.accounts.iter().map(borrowed));
    let all = all.map(|(scope, id)| (scope, Cow::Borrowed(id))).chain(member(entry));
    let amount = move |scope: SpendScope| if scope.is_of_deployment() { own } else { cost };
    let all = all.map(move |(scope, id)| ((scope, id), amount(scope)));
    all.chain(outrun.iter().flat_map(of_outrun))
        .filter(move |(_, amount)| cost != NanoUsd::ZERO && *amount != NanoUsd::ZERO)
}

fn borrowed((scope, id): &(SpendScope, String)) -> (SpendScope, &str) {
    (*scope, id.as_str())
}

fn member(entry: &Entry) -> Option<Account<'static>> {
    let (team, user) = entry.team_id.as_deref().zip(entry.user_id.as_deref())?;
    Some((SpendScope::Member, Cow::Owned(member_id(team, user))))
}

/// Whoever was asked in vain.
fn of_outrun(outrun: &Outrun) -> impl Iterator<Item = (Account<'_>, NanoUsd)> {
    let named = [
        (SpendScope::Provider, outrun.provider.as_str()),
        (SpendScope::Deployment, outrun.deployment_id.as_str()),
    ];
    let all = named.into_iter().chain(outrun.accounts.iter().map(borrowed));
    all.map(move |(scope, id)| ((scope, Cow::Borrowed(id)), outrun.cost))
}

pub(super) fn number(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
