//! Headers that tell how limits stand. A caller with every limit reads some forty of them, which took more than all else of a
//! head as long as they were put into a map. Over HTTP/1 they are lines: those of a caller's own limits are written once, but
//! for what is left, and a request writes its numbers between them.

use super::Standing;
use super::refusal::Tightest;
use super::scopes::{DESCRIPTORS, Descriptor, NAMES, RateScope};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::LazyLock;
use weir_core::domain::rates::Rate;

/// What a header is called, and how its line begins: with the end of the line before it. Static, since that costs nothing to
/// copy.
struct Header {
    name: HeaderName,
    line: &'static str,
}

/// What is left and the limit, for each descriptor and rate.
static HEADERS: LazyLock<Vec<[Header; 2]>> = LazyLock::new(|| {
    let both = |descriptor: &str, rate: Rate| {
        ["remaining", "limit"].map(|what| Header::new(&format!("{descriptor}-{what}-{}", rate.as_str())))
    };
    NAMES.iter().flat_map(|descriptor| Rate::ALL.map(|rate| both(descriptor, rate))).collect()
});

/// Of requests and of tokens, OpenAI's names: the limit, what is left of it, and when it begins again.
static IN_ALL: LazyLock<[[Header; 3]; 2]> = LazyLock::new(|| {
    let of = |rate: &str| ["limit", "remaining", "reset"].map(|what| Header::new(&format!("{what}-{rate}")));
    ["requests", "tokens"].map(of)
});

/// Room for a number, and for a line with its number.
const NUMBER: usize = 12;
const LINE: usize = 64;
/// Lines of what is left in all.
const LINES_IN_ALL: usize = 6;

impl Header {
    /// `about`: its name without what all of them begin with.
    fn new(about: &str) -> Self {
        let line: &'static str = Box::leak(format!("\r\nx-ratelimit-{about}: ").into_boxed_str());
        Self { name: HeaderName::from_static(line.trim().trim_end_matches(':')), line }
    }

    fn write(&self, number: i64, out: &mut String) {
        out.push_str(self.line);
        out.push_str(itoa::Buffer::new().format(number));
    }
}

/// `None`: it is not told. Of tags LiteLLM tells nothing, and a header could name only one of several.
fn headers(descriptor: Descriptor, rate: Rate) -> Option<&'static [Header; 2]> {
    let place = descriptor as usize * Rate::ALL.len() + rate as usize;
    debug_assert!(place < DESCRIPTORS * Rate::ALL.len());
    HEADERS.get(place).filter(|_| descriptor != Descriptor::Tag)
}

/// The lines of some limits, by name as LiteLLM tells them, without what is left of them.
pub(super) struct Heading {
    lines: String,
    gaps: Vec<Gap>,
    /// How many limits there are, those included that are not told of.
    limits: usize,
}

/// Where a number is missing: what is left of a limit, by its place.
struct Gap {
    limit: usize,
    at: usize,
}

impl Heading {
    pub(super) fn of(scopes: &[RateScope<'_>]) -> Self {
        let mut heading = Self { lines: String::new(), gaps: Vec::new(), limits: 0 };
        for (descriptor, rate, limit) in scopes.iter().flat_map(RateScope::told) {
            if let Some([left, whole]) = headers(descriptor, rate) {
                heading.lines.push_str(left.line);
                heading.gaps.push(Gap { limit: heading.limits, at: heading.lines.len() });
                whole.write(limit, &mut heading.lines);
            }
            heading.limits += 1;
        }
        heading
    }

    /// `standings`: those of these limits first, then others.
    pub(super) fn lines(&self, standings: &[Standing], out: &mut String) {
        let (own, others) = standings.split_at(self.limits.min(standings.len()));
        out.reserve(self.lines.len() + self.gaps.len() * NUMBER + (others.len() * 2 + LINES_IN_ALL) * LINE);
        let (mut digits, mut begin) = (itoa::Buffer::new(), 0);
        for Gap { limit, at } in &self.gaps {
            out.push_str(&self.lines[begin..*at]);
            out.push_str(digits.format(own.get(*limit).map_or(0, |standing| standing.remaining)));
            begin = *at;
        }
        out.push_str(&self.lines[begin..]);
        lines(others, out);
    }
}

/// Writes them one by one.
pub(super) fn lines(standings: &[Standing], out: &mut String) {
    for Standing { descriptor, rate, limit, remaining: left, .. } in standings {
        if let Some([remaining, whole]) = headers(*descriptor, *rate) {
            remaining.write(*left, out);
            whole.write(*limit, out);
        }
    }
}

/// Writes them one by one, in place of what another has said.
pub(super) fn write(standings: &[Standing], head: &mut HeaderMap) {
    for Standing { descriptor, rate, limit, remaining: left, .. } in standings {
        if let Some([remaining, whole]) = headers(*descriptor, *rate) {
            head.insert(remaining.name.clone(), HeaderValue::from(*left));
            head.insert(whole.name.clone(), HeaderValue::from(*limit));
        }
    }
}

/// What is left in all, if the provider says nothing of it in this head: its own limits are not mixed with ours, and Azure says
/// what is left without its limit.
fn unsaid(in_all: [Option<Tightest>; 2], head: &HeaderMap) -> [Option<(&'static [Header; 3], Tightest)>; 2] {
    let [requests, tokens] = &*IN_ALL;
    let [of_requests, of_tokens] = in_all;
    let one = |headers: &'static [Header; 3], tightest: Option<Tightest>| {
        let is_said = || headers.iter().any(|header| head.contains_key(&header.name));
        tightest.filter(|_| !is_said()).map(|tightest| (headers, tightest))
    };
    [one(requests, of_requests), one(tokens, of_tokens)]
}

pub(super) fn lines_in_all(in_all: [Option<Tightest>; 2], head: &HeaderMap, out: &mut String) {
    for ([limit, remaining, reset], tightest) in unsaid(in_all, head).into_iter().flatten() {
        limit.write(tightest.limit, out);
        remaining.write(tightest.remaining, out);
        reset.write(tightest.reset, out);
        out.push('s');
    }
}

pub(super) fn write_in_all(in_all: [Option<Tightest>; 2], head: &mut HeaderMap) {
    for ([limit, remaining, reset], tightest) in unsaid(in_all, head).into_iter().flatten() {
        head.insert(limit.name.clone(), HeaderValue::from(tightest.limit));
        head.insert(remaining.name.clone(), HeaderValue::from(tightest.remaining));
        if let Ok(seconds) = HeaderValue::try_from(format!("{}s", tightest.reset)) {
            head.insert(reset.name.clone(), seconds);
        }
    }
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

    /// What a head says, line by line and in a map.
    fn told(own: &[RateScope<'static>], standings: &[Standing]) -> [HeaderMap; 2] {
        let (mut text, mut map) = (String::new(), HeaderMap::new());
        Heading::of(own).lines(standings, &mut text);
        write(standings, &mut map);
        let mut of_lines = HeaderMap::new();
        for line in text.strip_prefix("\r\n").unwrap().split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap();
            let before = of_lines.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            assert!(before.is_none(), "{name} is told twice");
        }
        [of_lines, map]
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
            let [lines, head] = told(&own, &standings(own.iter().chain(&named), &left));
            assert_eq!(lines, head);
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
            assert_eq!(head.len(), 8, "{head:?}");
        }
    }

    #[test]
    fn what_is_left_in_all_is_told_where_the_provider_tells_nothing_of_it() {
        let tightest = |limit, remaining| Some(Tightest { limit, remaining, reset: 7 });
        let mut head = HeaderMap::new();
        head.insert("x-ratelimit-limit-requests", HeaderValue::from_static("10000"));
        let mut lines = String::new();
        lines_in_all([tightest(9, 4), tightest(80, 71)], &head, &mut lines);
        let tokens = [("limit", "80"), ("remaining", "71"), ("reset", "7s")];
        let line = |(what, told): (&str, &str)| format!("\r\nx-ratelimit-{what}-tokens: {told}");
        assert_eq!(lines, tokens.map(line).concat());
        write_in_all([tightest(9, 4), tightest(80, 71)], &mut head);
        for (what, told) in tokens {
            assert_eq!(head[format!("x-ratelimit-{what}-tokens")], told);
        }
        assert_eq!(
            (head.len(), &head["x-ratelimit-limit-requests"]),
            (4, &HeaderValue::from_static("10000"))
        );
    }

    #[test]
    fn p18_a_provider_that_tells_only_what_is_left_is_not_contradicted() {
        let tightest = Some(Tightest { limit: 9, remaining: 4, reset: 7 });
        let mut head = HeaderMap::new();
        head.insert("x-ratelimit-remaining-requests", HeaderValue::from_static("99"));
        let mut lines = String::new();
        lines_in_all([tightest, None], &head, &mut lines);
        write_in_all([tightest, None], &mut head);
        assert_eq!((lines.as_str(), head.len()), ("", 1), "one line, and it is the provider's");
        assert_eq!(head["x-ratelimit-remaining-requests"], "99");
    }
}
