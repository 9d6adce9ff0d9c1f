//! The differences that are meant: the table of `admin/COMPATIBILITY.md`.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// One row: file, case, and what a difference begins with. A `*` stands for any part of a name.
struct Row {
    file: String,
    case: String,
    what: String,
}

pub struct Listed {
    rows: Vec<Row>,
    met: RefCell<BTreeSet<usize>>,
}

impl Listed {
    pub fn read() -> Self {
        let text = include_str!("../../../../admin/COMPATIBILITY.md");
        let rows = text.lines().filter_map(row).collect();
        Self { rows, met: RefCell::default() }
    }

    /// Whether a call is left out, for what it would do to the calls after it.
    pub fn unsent(&self, file: &str, case: &str) -> bool {
        let at =
            self.rows.iter().position(|row| row.file == file && row.case == case && row.what == "not sent");
        self.met.borrow_mut().extend(at);
        at.is_some()
    }

    /// The difference, if no row says why it is there.
    pub fn unknown(&self, file: &str, case: &str, what: String) -> Option<String> {
        let fits = |row: &Row| meets(&row.file, file) && meets(&row.case, case) && begins(&row.what, &what);
        match self.rows.iter().position(fits) {
            Some(at) => {
                self.met.borrow_mut().insert(at);
                None
            }
            None => Some(format!("{file} {case}: {what}")),
        }
    }

    /// Rows that no difference met.
    pub fn vain(&self) -> Vec<String> {
        let met = self.met.borrow();
        let rows = self.rows.iter().enumerate().filter(|(at, _)| !met.contains(at));
        rows.map(|(_, row)| format!("{} {}: {}", row.file, row.case, row.what)).collect()
    }
}

/// `| file | case | what | why |`, each of the first three in backticks.
fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| `")?.split("` | `");
    let (file, case) = (cells.next()?, cells.next()?);
    let what = cells.next()?.split("` | ").next()?;
    Some(Row { file: file.to_owned(), case: case.to_owned(), what: what.to_owned() })
}

fn meets(pattern: &str, name: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, .., last] = parts.as_slice() else { return pattern == name };
    let whole = name.len() >= first.len() + last.len() && name.starts_with(first) && name.ends_with(last);
    whole && parts.iter().all(|part| name.contains(part))
}

/// `[*]` in a row stands for every place in a list, a `*` at its begin for whatever stands around a member.
fn begins(pattern: &str, what: &str) -> bool {
    if let Some(inner) = pattern.strip_prefix('*') {
        return what.contains(inner);
    }
    let mut rest = what;
    for (at, part) in pattern.split("[*]").enumerate() {
        if at > 0 {
            let Some((_, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) else {
                return false;
            };
            rest = after;
        }
        let Some(after) = rest.strip_prefix(part) else { return false };
        rest = after;
    }
    true
}
