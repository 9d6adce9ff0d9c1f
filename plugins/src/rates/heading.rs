//! Headers that tell how limits stand. A caller with every limit reads some forty of them, so the names of its own limits
//! are laid out once for all who have the same ones, and the limits written once: a request copies both, and writes only
//! what is left.

use super::Standing;
use super::scopes::{DESCRIPTORS, Descriptor, NAMES, RateScope};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use weir_core::domain::rates::Rate;

/// What is left and the limit, for each descriptor and rate. Static, since those cost nothing to copy.
static HEADERS: LazyLock<Vec<[HeaderName; 2]>> = LazyLock::new(|| {
    let name = |descriptor: &str, what: &str, rate: Rate| {
        let name = format!("x-ratelimit-{descriptor}-{what}-{}", rate.as_str());
        HeaderName::from_static(Box::leak(name.into_boxed_str()))
    };
    let both =
        |descriptor: &str, rate| [name(descriptor, "remaining", rate), name(descriptor, "limit", rate)];
    NAMES.iter().flat_map(|descriptor| Rate::ALL.map(|rate| both(descriptor, rate))).collect()
});

/// Other headers of an answer: a map that grows hashes every name again.
const OTHERS: usize = 48;

/// By which limits there are, a bit for each.
static LAYOUTS: LazyLock<RwLock<HashMap<u64, Arc<Layout>>>> = LazyLock::new(RwLock::default);
/// Layouts that are shared. Operators set few sets of limits.
const MOST: usize = 1_024;

fn place(descriptor: Descriptor, rate: Rate) -> usize {
    descriptor as usize * Rate::ALL.len() + rate as usize
}

/// `None`: it is not told. Of tags LiteLLM tells nothing, and a header could name only one of several.
fn names(descriptor: Descriptor, rate: Rate) -> Option<&'static [HeaderName; 2]> {
    debug_assert!(place(descriptor, rate) < DESCRIPTORS * Rate::ALL.len());
    HEADERS.get(place(descriptor, rate)).filter(|_| descriptor != Descriptor::Tag)
}

/// The headers of some limits, by name as LiteLLM tells them.
pub(super) struct Heading {
    layout: Arc<Layout>,
    limits: Vec<HeaderValue>,
}

/// Names of headers, and what each of them tells, in the map's own order.
struct Layout {
    head: HeaderMap,
    says: Vec<Says>,
}

/// Of one of the limits, by its place.
#[derive(Clone, Copy)]
enum Says {
    Left(usize),
    Limit(usize),
}

impl Layout {
    fn shared(told: &[(Descriptor, Rate, i64)]) -> Arc<Self> {
        let with = |all: u64, told: &(Descriptor, Rate, i64)| all | (1_u64 << place(told.0, told.1));
        let shape = told.iter().fold(0, with);
        if let Some(known) = LAYOUTS.read().unwrap_or_else(PoisonError::into_inner).get(&shape) {
            return Arc::clone(known);
        }
        let made = Arc::new(Self::of(told));
        let mut all = LAYOUTS.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST {
            all.insert(shape, Arc::clone(&made));
        }
        made
    }

    fn of(told: &[(Descriptor, Rate, i64)]) -> Self {
        let mut head = HeaderMap::with_capacity(OTHERS + told.len() * 2);
        let mut named = Vec::with_capacity(told.len() * 2);
        for (at, (descriptor, rate, _)) in told.iter().enumerate() {
            if let Some([left, limit]) = names(*descriptor, *rate) {
                named.extend([(left, Says::Left(at)), (limit, Says::Limit(at))]);
            }
        }
        for (name, _) in &named {
            head.insert((*name).clone(), HeaderValue::from_static("0"));
        }
        let says = |name: &HeaderName| named.iter().find(|(known, _)| *known == name).map(|(_, says)| *says);
        Self { says: head.keys().filter_map(says).collect(), head }
    }
}

impl Heading {
    pub(super) fn of(scopes: &[RateScope<'_>]) -> Self {
        let told: Vec<_> = scopes.iter().flat_map(RateScope::told).collect();
        let limits = told.iter().map(|(_, _, limit)| HeaderValue::from(*limit)).collect();
        Self { layout: Layout::shared(&told), limits }
    }

    /// A head with them, and with room for what else an answer says. `standings`: those of these limits first, then others.
    pub(super) fn filled(&self, standings: &[Standing]) -> HeaderMap {
        let (own, others) = standings.split_at(self.limits.len().min(standings.len()));
        let mut head = self.layout.head.clone();
        let mut left = values(own.iter().map(|standing| standing.remaining), own.len());
        for (value, says) in head.values_mut().zip(&self.layout.says) {
            match *says {
                Says::Left(at) => left.get_mut(at).into_iter().for_each(|left| std::mem::swap(value, left)),
                Says::Limit(at) => self.limits.get(at).into_iter().for_each(|limit| *value = limit.clone()),
            }
        }
        write(&mut head, others);
        head
    }
}

/// Writes them one by one, in place of what another has said.
pub(super) fn write(head: &mut HeaderMap, standings: &[Standing]) {
    for Standing { descriptor, rate, limit, remaining: left, .. } in standings {
        if let Some([remaining, whole]) = names(*descriptor, *rate) {
            head.insert(remaining.clone(), HeaderValue::from(*left));
            head.insert(whole.clone(), HeaderValue::from(*limit));
        }
    }
}

/// Numbers as values of headers, all in one piece of memory.
fn values(numbers: impl Iterator<Item = i64>, count: usize) -> Vec<HeaderValue> {
    let (mut digits, mut ends) = (Vec::with_capacity(count * 12), Vec::with_capacity(count));
    for number in numbers {
        digits.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        ends.push(digits.len());
    }
    let (digits, mut begin) = (Bytes::from(digits), 0);
    let value = |end: usize| {
        let value = digits.slice(std::mem::replace(&mut begin, end)..end);
        HeaderValue::from_maybe_shared(value).unwrap_or_else(|_| HeaderValue::from_static(""))
    };
    ends.into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::rates::Rates;
    use weir_core::time::Micros;

    const NONE: Rates = Rates { requests: None, tokens: None, parallel: None };

    fn standings<'a>(scopes: impl Iterator<Item = &'a RateScope<'static>>, left: &[i64]) -> Vec<Standing> {
        let told = scopes.flat_map(RateScope::told).zip(left);
        let one = |((descriptor, rate, limit), left): (_, &i64)| Standing {
            descriptor,
            rate,
            limit,
            remaining: *left,
            ends: Micros(0),
        };
        told.map(one).collect()
    }

    #[test]
    fn p18_a_head_names_every_limit_and_what_is_left_of_it() {
        let own = |requests, tokens| {
            [
                RateScope::new(Descriptor::ApiKey, "k", Rates { requests, parallel: Some(3), ..NONE }),
                RateScope::new(Descriptor::Organization, "o", Rates { tokens, ..NONE }),
            ]
        };
        let named = [
            RateScope::new(Descriptor::EndUser, "c", Rates { requests: Some(5), ..NONE }),
            RateScope::new(Descriptor::Tag, "t", Rates { requests: Some(4), ..NONE }),
        ];
        // Two callers who have the same limits, and other figures.
        for (requests, tokens, left) in [(10, 9_000, [7, 2, 8_999, 4, 1]), (20, 800, [19, 0, 0, 3, 0])] {
            let own = own(Some(requests), Some(tokens));
            let mut head = Heading::of(&own).filled(&standings(own.iter().chain(&named), &left));
            head.insert("content-type", HeaderValue::from_static("text/plain"));
            for (name, value) in [
                ("api_key-limit-requests", requests),
                ("api_key-remaining-requests", left[0]),
                ("api_key-limit-max_parallel_requests", 3),
                ("api_key-remaining-max_parallel_requests", left[1]),
                ("organization-limit-tokens", tokens),
                ("organization-remaining-tokens", left[2]),
                ("end_user-limit-requests", 5),
                ("end_user-remaining-requests", left[3]),
            ] {
                assert_eq!(head[format!("x-ratelimit-{name}")], value.to_string(), "{name}");
            }
            assert_eq!(head.len(), 9, "{head:?}");
        }
    }
}
