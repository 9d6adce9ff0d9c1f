//! What the OpenAPI document says of routes beyond what their handlers ask for by themselves: parameters that are
//! looked at only beside others, which values they take, and what is answered. `records.rs` are keys, teams, users and
//! changes of them, `entries.rs` what was booked, `days.rs` and `spend.rs` sums of it, `health.rs` how a process is
//! doing. Data: a test asks every handler for every parameter, another holds real answers against every row.

/// A row of an object, with a few words where its name does not say it all.
macro_rules! member {
    ($name:literal, $of:expr $(,)?) => {
        Member { name: $name, of: $of, optional: false, about: "" }
    };
    ($name:literal, $of:expr, $about:literal $(,)?) => {
        Member { name: $name, of: $of, optional: false, about: $about }
    };
}

/// One that may be absent.
macro_rules! optional {
    ($name:literal, $of:expr $(,)?) => {
        Member { name: $name, of: $of, optional: true, about: "" }
    };
    ($name:literal, $of:expr, $about:literal $(,)?) => {
        Member { name: $name, of: $of, optional: true, about: $about }
    };
}

macro_rules! route {
    ($path:literal, $query:expr, $answer:expr $(,)?) => {
        Described { path: $path, query: $query, answer: $answer }
    };
}

mod days;
mod entries;
mod health;
mod records;
mod spend;

/// What a parameter takes, or a member of an answer holds.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Text,
    Integer,
    Number,
    Flag,
    /// RFC 3339.
    Moment,
    /// `2026-11-25`; where a parameter takes a day, it takes a moment too.
    Day,
    OneOf(&'static [&'static str]),
    /// Whatever it is.
    Any,
    /// Null, or this.
    Maybe(&'static Of),
    Either(&'static [Of]),
    List(&'static Of),
    /// An object whose members are all alike, under names that nobody knows before.
    Map(&'static Of),
    /// An object with these members, and maybe more.
    Members(Members),
    /// The shape of this name in [`named`].
    Named(&'static str),
}

/// Members, in groups that several objects have in common.
pub type Members = &'static [&'static [Member]];

#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub of: Of,
    /// It may be absent.
    pub optional: bool,
    /// What it is, for people; empty where its name says it.
    pub about: &'static str,
}

/// A shape that has a name in the document.
#[derive(Debug)]
pub struct Named {
    pub name: &'static str,
    pub members: Members,
}

/// One route, all of whose parameters are optional.
#[derive(Debug)]
pub struct Described {
    /// Of a `GET`.
    pub path: &'static str,
    pub query: &'static [(&'static str, Of)],
    pub answer: Of,
}

/// All of them.
pub fn described() -> impl Iterator<Item = &'static Described> {
    [records::ROUTES, entries::ROUTES, spend::ROUTES, days::ROUTES, health::ROUTES].into_iter().flatten()
}

/// All shapes that have a name.
pub fn shapes() -> impl Iterator<Item = &'static Named> {
    [records::NAMED, entries::NAMED, spend::NAMED, days::NAMED].into_iter().flatten()
}

/// The shape of a name.
pub fn named(name: &str) -> Option<&'static Named> {
    shapes().find(|named| named.name == name)
}

// --- short words for tables ---

const TEXTS: Of = Of::List(&Of::Text);
const OBJECT: Of = Of::Map(&Of::Any);
const NO_TEXT: Of = Of::Maybe(&Of::Text);
const NO_INTEGER: Of = Of::Maybe(&Of::Integer);
const NO_NUMBER: Of = Of::Maybe(&Of::Number);
const NO_MOMENT: Of = Of::Maybe(&Of::Moment);

/// Between two days, both included.
const SPAN: &[(&str, Of)] = &[("start_date", Of::Day), ("end_date", Of::Day)];

const ORDER: Of = Of::OneOf(&["asc", "desc"]);

/// Where a page stands among the others.
const PAGED: &[Member] = &[
    member!("total", Of::Integer),
    member!("page", Of::Integer),
    member!("page_size", Of::Integer),
    member!("total_pages", Of::Integer),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::routes;

    #[test]
    fn every_row_is_of_a_route_and_stands_once() {
        let mut seen = Vec::new();
        for row in described() {
            assert!(routes().any(|route| route.path == row.path && route.method == "GET"), "{}", row.path);
            assert!(!seen.contains(&row.path), "{} stands twice", row.path);
            seen.push(row.path);
            walk(row.answer);
        }
    }

    #[test]
    fn a_name_means_one_shape() {
        let mut seen = Vec::new();
        for shape in shapes() {
            assert!(!seen.contains(&shape.name), "{} means two shapes", shape.name);
            seen.push(shape.name);
            members(shape.members);
        }
    }

    /// Every name in it has a shape.
    fn walk(of: Of) {
        match of {
            Of::Maybe(of) | Of::List(of) | Of::Map(of) => walk(*of),
            Of::Either(all) => all.iter().for_each(|of| walk(*of)),
            Of::Members(groups) => members(groups),
            Of::Named(name) => assert!(named(name).is_some(), "{name} has no shape"),
            _ => {}
        }
    }

    fn members(groups: Members) {
        groups.iter().copied().flatten().for_each(|member| walk(member.of));
    }
}
