//! Rows as people, spreadsheets and programs read them.

use clap::Args;
use serde_json::Value;

// How to print.
#[derive(Args)]
pub(in crate::cli) struct Format {
    /// Prints the API's answer as JSON.
    #[arg(long, global = true, conflicts_with = "csv")]
    pub json: bool,
    /// Prints CSV.
    #[arg(long, global = true)]
    pub csv: bool,
}

/// A table: names of columns, and rows of as many cells.
pub(super) struct Table {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// A cell of a table is cut here; CSV has it whole.
const WIDEST: usize = 48;

impl Table {
    pub(super) fn csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let head = line(self.head.iter().map(|name| (*name).to_owned()).collect());
        let rows = self.rows.iter().map(|row| line(row.iter().map(|cell| quoted(cell)).collect()));
        head + &rows.collect::<String>()
    }

    /// Columns under each other, with long cells cut.
    pub(super) fn text(&self) -> String {
        self.columns(WIDEST)
    }

    /// The same with whole cells, where nothing stands behind them or somebody must copy one.
    pub(super) fn whole(&self) -> String {
        self.columns(usize::MAX)
    }

    fn columns(&self, widest: usize) -> String {
        let cut = |row: &Vec<String>| row.iter().map(|cell| plain(cell, widest)).collect::<Vec<String>>();
        let rows: Vec<Vec<String>> = self.rows.iter().map(cut).collect();
        let width = |column: usize, name: &str| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(name.len())
        };
        let widths: Vec<usize> = self.head.iter().enumerate().map(|(at, name)| width(at, name)).collect();
        let head: Vec<String> = self.head.iter().map(|name| name.to_uppercase()).collect();
        let mut text = padded(&head, &widths);
        rows.iter().for_each(|row| text += &padded(row, &widths));
        text
    }
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
}

/// Names come from users: no control characters for the terminal.
fn plain(text: &str, widest: usize) -> String {
    let mut plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(widest).collect();
    if text.chars().count() > widest {
        plain.pop();
        plain.push('…');
    }
    plain
}

/// RFC 4180, and an apostrophe before what a spreadsheet would take for a formula.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A value in a cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // Never as 1e-7, which is no amount of money.
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, |number| format!("{number}"))
        }
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Table {
        let rows = vec![
            vec!["alice".to_owned(), "0.0000001".to_owned()],
            vec!["=cmd,\u{1b}[31m".to_owned(), "x".repeat(60)],
        ];
        Table { head: vec!["name", "spend"], rows }
    }

    #[test]
    fn columns_stand_under_each_other() {
        let expected = format!("NAME        SPEND\nalice       0.0000001\n=cmd, [31m  {}…\n", "x".repeat(47));
        assert_eq!(table().text(), expected);
    }

    #[test]
    fn csv_has_everything_and_no_formula() {
        let expected = format!("name,spend\nalice,0.0000001\n\"'=cmd,\u{1b}[31m\",{}\n", "x".repeat(60));
        assert_eq!(table().csv(), expected);
    }

    #[test]
    fn values_are_written_plainly() {
        for (value, expected) in [
            (json!(0.0000001), "0.0000001"),
            (json!(null), ""),
            (json!(["a", "b"]), "a b"),
            (json!(7), "7"),
            (json!(true), "true"),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }
}
