//! One page that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

use super::curve::curve;
use super::markdown::{UNOPTIMISED, errors, milli, number, pair, ratio, verdict};
use super::svg::{Bar, bars, escape};
use super::{Report, Row, Table, Verdict};
use crate::cases::{Figure, JUDGED, STANDARD, limit};
use crate::guarantees::Section;

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2430; --soft: #667; --rule: #d8dde4; --bar: #9db2cc;
  --judged: #2563b0; --limit: #b3261e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --ink: #e3e8ef; --soft: #98a2b3; --rule: #2c3440;
  --bar: #4a5d78; --judged: #6aa5f0; --limit: #ff8a80; --good: #6cd08a; } }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--rule); }
.about, footer { color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; }
th:first-child, td:first-child, td.text { text-align: left; }
.pass { color: var(--good); } .fail { color: var(--limit); font-weight: 600; }
svg { width: 100%; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg text.title { font-weight: 600; } svg text.limit { fill: var(--limit); }
svg .bar { fill: var(--bar); } svg .judged { fill: var(--judged); }
svg .curve { fill: none; stroke-width: 2; } svg .c0 { stroke: var(--judged); } svg .c1 { stroke: var(--good); }
svg .c2 { stroke: var(--soft); } svg .c3 { stroke: var(--ink); } svg .c4 { stroke: var(--bar); }
svg .dot { fill: var(--ground); stroke-width: 2; }
svg .spread { stroke: var(--ink); } svg line.limit { stroke: var(--limit); stroke-dasharray: 4 3; }
";

pub fn render(report: &Report) -> String {
    let machine = &report.machine;
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>weir-bench {0}</title><style>{STYLE}</style></head><body>\
         <h1>weir-bench</h1><p class=\"about\">{1} · {2} cores · {3} MiB · Linux {4} · {0} · commit {5}<br>\
         <code>{6}</code></p>",
        escape(&machine.date),
        escape(&machine.cpu),
        machine.cores,
        machine.memory_mib,
        escape(&machine.kernel),
        escape(&machine.commit),
        escape(&report.command)
    );
    if !machine.optimised {
        let _ = write!(out, "<p class=\"fail\">{}</p>", UNOPTIMISED.trim_matches('*'));
    }
    let mut cases: Vec<&str> = report.rows.iter().map(|row| row.case.as_str()).collect();
    cases.dedup();
    for name in cases {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.case == name).collect();
        case(&mut out, name, &rows);
    }
    for one in &report.sections {
        section(&mut out, one);
    }
    out + "<footer><p>Medians over rounds. Bars: median; thin line: lowest to highest round. Ratios compare visits of the \
           same round.</p></footer></body></html>\n"
}

fn case(out: &mut String, name: &str, rows: &[&Row]) {
    let about = STANDARD.iter().find(|case| case.name == name).map_or("", |case| case.about);
    let _ =
        write!(out, "<h2>{}</h2><p class=\"about\">{}</p><div class=\"plots\">", escape(name), escape(about));
    let ratios = plot(rows, |row| row.cpu_to_nginx, |row| row.cpu_spread);
    if !ratios.is_empty() {
        out.push_str(&bars("CPU per request, nginx = 1", "×", &ratios, limit(name, Figure::CpuRatio)));
    }
    let cpu = plot(rows, |row| row.cpu_us, |_| None);
    if !cpu.is_empty() {
        out.push_str(&bars("CPU per request", "µs", &cpu, None));
    }
    out.push_str(&bars(
        "Latency, median",
        "ms",
        &plot(rows, |row| Some(row.p50_us / 1000.0), |_| None),
        None,
    ));
    out.push_str(&bars("Latency, 99 %", "ms", &plot(rows, |row| Some(row.p99_us / 1000.0), |_| None), None));
    out.push_str("</div>");
    table(out, rows);
}

fn plot<'a>(
    rows: &[&'a Row],
    value: impl Fn(&Row) -> Option<f64>,
    spread: impl Fn(&Row) -> Option<(f64, f64)>,
) -> Vec<Bar<'a>> {
    let bar = |row: &&'a Row| {
        Some(Bar {
            label: &row.target,
            value: value(row)?,
            spread: spread(row),
            judged: row.target == JUDGED,
        })
    };
    rows.iter().filter_map(bar).collect()
}

fn table(out: &mut String, rows: &[&Row]) {
    out.push_str("<div class=\"wide\"><table><thead><tr>");
    for head in [
        "target",
        "CPU µs/req",
        "× nginx (min–max)",
        "req/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "first byte p50 ms",
        "added p50 / p99 ms",
        "RSS / peak MiB",
        "errors",
        "verdict",
    ] {
        let _ = write!(out, "<th>{head}</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        cells(out, row);
    }
    out.push_str("</tbody></table></div>");
}

fn cells(out: &mut String, row: &Row) {
    out.push_str("<tr>");
    for cell in [
        escape(&row.target),
        number(row.cpu_us, 1),
        ratio(row),
        format!("{:.0}", row.per_second),
        milli(row.p50_us),
        milli(row.p99_us),
        milli(row.p999_us),
        milli(row.first_p50_us),
        pair(row.added_p50_us.map(|us| us / 1000.0), row.added_p99_us.map(|us| us / 1000.0), 3),
        pair(row.rss_mib, row.peak_mib, 0),
        escape(&errors(row)),
        row.verdicts.iter().map(coloured).collect::<Vec<_>>().join("<br>"),
    ] {
        let _ = write!(out, "<td>{cell}</td>");
    }
    out.push_str("</tr>");
}

fn section(out: &mut String, section: &Section) {
    let _ = write!(
        out,
        "<h2>{}</h2><p class=\"about\">{}</p><div class=\"wide\"><table><thead><tr><th>figure</th><th>value</th>\
         <th>verdict</th></tr></thead><tbody>",
        escape(&section.name),
        escape(&section.about)
    );
    for figure in &section.figures {
        let judged = figure.verdict.as_ref().map(coloured).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"text\">{judged}</td></tr>",
            escape(&figure.name),
            figure.shown()
        );
    }
    out.push_str("</tbody></table></div>");
    for one in &section.curves {
        let _ = write!(out, "<div class=\"plots\">{}</div>", curve(one));
    }
    section.tables.iter().for_each(|table| plain_table(out, table));
    for note in &section.notes {
        let _ = write!(out, "<p>{}</p>", escape(note));
    }
}

fn plain_table(out: &mut String, table: &Table) {
    let head = tagged("th", table.head.iter().copied());
    let _ = write!(out, "<div class=\"wide\"><table><thead><tr>{head}</tr></thead><tbody>");
    for cells in &table.rows {
        let _ = write!(out, "<tr>{}</tr>", tagged("td", cells.iter().map(String::as_str)));
    }
    out.push_str("</tbody></table></div>");
}

fn tagged<'a>(tag: &str, cells: impl Iterator<Item = &'a str>) -> String {
    cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
}

fn coloured(one: &Verdict) -> String {
    let class = if one.pass { "pass" } else { "fail" };
    format!("<span class=\"{class}\">{}</span>", escape(&verdict(one)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::tests::visit;

    #[test]
    fn the_page_is_complete_and_loads_nothing() {
        let visits = vec![visit(0, "chat-1k", "nginx", 10.0), visit(0, "chat-1k", "a<b>&\"c\"", 30.0)];
        let page = render(&Report::new("weir-bench run".to_owned(), visits, Vec::new()));
        assert!(
            page.ends_with("</html>\n") && page.contains("must 2.3") && page.contains("3.00 (3.00–3.00)")
        );
        assert!(page.contains("a&lt;b&gt;&amp;") && !page.contains("a<b>"));
        for outside in ["<script", "<link", "src=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
