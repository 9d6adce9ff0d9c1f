//! Pages of lists that LiteLLM tells whole, for who asks for them, and what such lists are searched by.

use crate::answer::{Object, Raw, raw};
use crate::error::Refusal;
use crate::input::Params;
use weir_core::ports::{Condition, RecordQuery, Sort};

/// The names of the parameters, and what is in a page.
pub(crate) struct Bounds {
    pub(crate) size: &'static str,
    pub(crate) usual: u32,
    pub(crate) longest: u32,
}

/// `page` and `size` of records, as `/key/list` has them.
pub(crate) static RECORDS: Bounds = Bounds { size: "size", usual: 50, longest: 100 };

/// Bounds of a list that comes in pages of `page_size` only, as `/user/list` has them.
pub(crate) const fn of_usual(usual: u32) -> Bounds {
    Bounds { size: "page_size", usual, longest: 100 }
}

/// Records in one answer where nobody asks for pages.
const ALL: u32 = 10_000;

/// One page; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) number: u32,
    pub(crate) size: u32,
}

impl Page {
    /// `None`: nobody asks for pages, so all there is comes in one answer.
    ///
    /// # Errors
    /// 422 for what is no number of at least 1.
    pub(crate) fn asked(params: &Params, of: &Bounds) -> Result<Option<Self>, Refusal> {
        let (number, size) = (params.positive("page")?, params.positive(of.size)?);
        let paged = number.is_some() || size.is_some();
        let size = size.unwrap_or(of.usual).min(of.longest);
        Ok(paged.then_some(Self { number: number.unwrap_or(1), size }))
    }

    /// A page of a list that never comes whole: the first, where nobody asks for another.
    ///
    /// # Errors
    /// As [`Page::asked`].
    pub(crate) fn asked_or_first(params: &Params, of: &Bounds) -> Result<Self, Refusal> {
        let page = Self::asked(params, of)?;
        Ok(page.unwrap_or(Self { number: 1, size: of.usual }))
    }

    pub(crate) fn skip(self) -> u32 {
        (self.number - 1).saturating_mul(self.size)
    }

    /// How many pages so many rows make.
    pub(crate) fn of(self, rows: u64) -> u64 {
        rows.div_ceil(u64::from(self.size))
    }

    /// Where the page stands among the others, as `/key/list` tells it.
    pub(crate) fn place(self, total: u64) -> [(&'static str, Raw); 3] {
        [
            ("total_count", raw(&total)),
            ("current_page", raw(&self.number)),
            ("total_pages", raw(&self.of(total))),
        ]
    }

    /// The same, as `/user/list` tells it.
    pub(crate) fn sized_place(self, total: u64) -> [(&'static str, Raw); 4] {
        [
            ("total", raw(&total)),
            ("page", raw(&self.number)),
            ("page_size", raw(&self.size)),
            ("total_pages", raw(&self.of(total))),
        ]
    }

    /// What to ask for its records, the last in `sort` first unless `sort_order` says `asc`.
    pub(crate) fn records(self, conditions: Vec<Condition>, sort: Sort, params: &Params) -> RecordQuery {
        let descending = params.get("sort_order") != Some("asc");
        RecordQuery { conditions, sort, descending, limit: self.size, offset: self.skip() }
    }
}

/// The records of a page, the youngest first; of no page all, in the order they were made in.
pub(crate) fn query(page: Option<Page>, conditions: Vec<Condition>) -> RecordQuery {
    RecordQuery {
        conditions,
        descending: page.is_some(),
        limit: page.map_or(ALL, |page| page.size),
        offset: page.map_or(0, Page::skip),
        ..RecordQuery::default()
    }
}

/// The same, in the order that `sort_by` names, where it names one of these; `sort_order` is `desc` unless it says `asc`.
pub(crate) fn sorted(query: RecordQuery, params: &Params, by: &[(&str, Sort)]) -> RecordQuery {
    let (name, order) = (params.get("sort_by"), params.get("sort_order"));
    match by.iter().find(|(known, _)| Some(*known) == name) {
        Some((_, sort)) => RecordQuery { sort: *sort, descending: order != Some("asc"), ..query },
        None => query,
    }
}

/// `search`: what one of these columns holds.
pub(crate) fn searched(params: &Params, columns: &[&'static str]) -> Option<Condition> {
    let text = params.text("search")?;
    Some(Condition::Any(
        columns.iter().copied().map(|column| Condition::Contains(column, text.clone())).collect(),
    ))
}

/// A list as LiteLLM tells it; a page of it as an object, with `name` for the rows.
pub(crate) fn told(page: Option<Page>, name: &'static str, rows: &[Object], total: u64) -> Raw {
    let Some(page) = page else { return raw(rows) };
    let mut told = Object(vec![(name, raw(rows))]);
    told.0.extend(page.place(total));
    raw(&told)
}
