//! The report as one page: no script, nothing fetched, light and dark, as wide as the screen.
//!
//! Every text of a log goes through [`escaped`].

use std::fmt::Write as _;

use postlane_mail::Span;
use postlane_maillog::{ProviderFigures, Report};
use postlane_triage::html_text;

use super::plot;
use super::told::{Provider, Told};

/// Providers that have a section; all are in the table of the JSON.
const SECTIONS: usize = 40;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What the log says</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --ground: #fff; --card: #f6f8fa;
  --ok: #2f7d4f; --rate: #c77700; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #333b45; --ground: #12161b;
  --card: #1a2027; --ok: #56b881; --rate: #e7a33e; --bad: #f0746c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 0 0 .25rem; } h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
section { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1.25rem 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); } th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 10rem; }
td:nth-child(2):has(.chip), th.verdict { text-align: left; }
td.text, th.text { text-align: left; white-space: normal; min-width: 16rem; }
td a { color: inherit; }
.chip { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .6rem; font-size: .875rem; }
.healthy { color: var(--ok); } .throttle, .greylisting, .retry_storm, .pool_ip, .recipients { color: var(--rate); }
.block, .policy, .identity, .infra, .outage { color: var(--bad); } .too_little { color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: .75rem 0; }
dt { color: var(--soft); font-size: .875rem; } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: 9rem; background: var(--card); border-radius: .25rem; }
.ok { fill: var(--ok); } .rate { fill: var(--rate); } .bad, .hit { fill: var(--bad); }
.axis { display: flex; justify-content: space-between; gap: .5rem; flex-wrap: wrap; color: var(--soft);
  font-size: .8125rem; font-variant-numeric: tabular-nums; margin-bottom: .75rem; }
.key span { display: inline-block; width: .75rem; height: .75rem; margin: 0 .35rem 0 .75rem; border-radius: .15rem; }
.key span:first-child { margin-left: 0; }
pre { background: var(--card); padding: .75rem; border-radius: .25rem; overflow-x: auto; font-size: .875rem; }
ul, ol { margin: .25rem 0; padding-left: 1.5rem; }
@media print { section { break-inside: avoid; } }
</style>
"#;

/// The page.
pub(super) fn page(report: &Report, told: &Told) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("<header><h1>What the log says</h1>");
    let span = match (&told.from, &told.to) {
        (Some(from), Some(to)) => format!("{} to {}, ", clock(from), clock(to)),
        _ => String::new(),
    };
    let _ = write!(
        page,
        "<p class=\"soft\">{span}{} lines in {} files, {} unreadable. Counts are of recipients; times are \
         the log's own, UTC where it names a zone.</p></header>",
        told.lines, told.files, told.bad_lines
    );
    overview(&mut page, told);
    let both = report.providers.iter().zip(&told.providers);
    for (number, (figures, one)) in both.take(SECTIONS).enumerate() {
        provider(&mut page, number, figures, one);
    }
    page.push_str("</html>\n");
    page
}

fn overview(page: &mut String, told: &Told) {
    page.push_str(
        "<section><h2>Providers</h2><div class=\"wide\"><table><thead><tr><th>Provider<th class=\"verdict\">Verdict\
         <th>Accepted<th>Deferred<th>Bounced<th>Expired<th>First try<th>Tries each<th>Limit</tr></thead><tbody>",
    );
    for (number, one) in told.providers.iter().take(SECTIONS).enumerate() {
        let limit = one.suspected_limit.as_ref().map_or_else(String::new, |limit| {
            format!("{} in {}", limit.quota, Span::from_s(u64::from(limit.window_s)))
        });
        let _ = write!(
            page,
            "<tr><td><a href=\"#p{number}\">{}</a><td><span class=\"chip {}\">{}</span><td>{}<td>{}\
             <td>{}<td>{}<td>{}<td>{}<td>{limit}</tr>",
            escaped(&one.name),
            one.verdict.class,
            one.verdict.title,
            one.accepted,
            one.deferred,
            one.bounced,
            one.expired,
            share(one.first_attempt_share),
            one.attempts_per_accepted.map_or_else(|| "–".to_owned(), |tries| format!("{tries:.2}")),
        );
    }
    page.push_str("</tbody></table></div>");
    if told.providers.len() > SECTIONS {
        let more = told.providers.len() - SECTIONS;
        let _ = write!(page, "<p class=\"soft\">and {more} more, in the JSON</p>");
    }
    page.push_str("</section>\n");
}

fn provider(page: &mut String, number: usize, figures: &ProviderFigures, one: &Provider) {
    let _ = write!(
        page,
        "<section id=\"p{number}\"><h2>{} <span class=\"chip {}\">{}, {:.0} % sure</span></h2><p>{}</p>",
        escaped(&one.name),
        one.verdict.class,
        one.verdict.title,
        one.verdict.confidence * 100.0,
        escaped(&one.verdict.says),
    );
    numbers(page, one);
    let hits = one.suspected_limit.as_ref().map_or(&[][..], |limit| &limit.hits_s);
    page.push_str(&plot::svg(&figures.moments, hits));
    page.push_str(
        "<p class=\"soft key\"><span style=\"background:var(--ok)\"></span>accepted\
         <span style=\"background:var(--rate)\"></span>refused for the rate\
         <span style=\"background:var(--bad)\"></span>failed otherwise",
    );
    page.push_str(if hits.is_empty() { "</p>" } else { "; marks below: the limit was hit</p>" });
    if let Some(limit) = &one.suspected_limit {
        let _ = write!(
            page,
            "<h3>The limit</h3><p>{} in {}, {} window, counting {}; hit {} times; {:.0} % sure{}.</p>",
            limit.quota,
            Span::from_s(u64::from(limit.window_s)),
            if limit.turns == "clock" { "a clock's" } else { "a sliding" },
            limit.counts,
            limit.hit,
            limit.confidence * 100.0,
            limit
                .source
                .as_ref()
                .map_or_else(String::new, |source| { format!(", found with {}", escaped(source)) }),
        );
    }
    list(page, "What speaks for it", "ul", &one.verdict.evidence);
    list(page, "What speaks against it, or was not seen", "ul", &one.verdict.against);
    list(page, "What to do", "ol", &one.verdict.steps);
    replies(page, one);
    storms(page, one);
    for (title, text) in
        [("For Postlane", &one.recommended.toml), ("For Postfix", &one.recommended.postfix)]
    {
        if !text.is_empty() {
            let _ = write!(page, "<h3>{title}</h3><pre>{}</pre>", escaped(text));
        }
    }
    page.push_str("</section>\n");
}

fn numbers(page: &mut String, one: &Provider) {
    page.push_str("<dl>");
    for (name, value) in [
        ("accepted", one.accepted.to_string()),
        ("deferred", one.deferred.to_string()),
        ("bounced", one.bounced.to_string()),
        ("expired", one.expired.to_string()),
        ("put off untried", one.suspended.to_string()),
        ("taken at first try", share(one.first_attempt_share)),
    ] {
        let _ = write!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    page.push_str("</dl>");
}

fn list(page: &mut String, title: &str, kind: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = write!(page, "<h3>{title}</h3><{kind}>");
    for item in items {
        let _ = write!(page, "<li>{}", escaped(item));
    }
    let _ = write!(page, "</{kind}>");
}

fn replies(page: &mut String, one: &Provider) {
    if one.top_replies.is_empty() {
        return;
    }
    page.push_str(
        "<h3>What was said</h3><div class=\"wide\"><table><thead><tr><th>Meaning<th>Times<th class=\"text\">Reply</tr>\
         </thead><tbody>",
    );
    for reply in &one.top_replies {
        let text: String = reply.text.chars().take(300).collect();
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td class=\"text\">{}</tr>",
            reply.label,
            reply.count,
            escaped(&text)
        );
    }
    page.push_str("</tbody></table></div>");
}

fn storms(page: &mut String, one: &Provider) {
    if one.storms.is_empty() {
        return;
    }
    page.push_str(
        "<h3>Retry storms</h3><div class=\"wide\"><table><thead><tr><th>From<th>Until<th>Tries<th>Taken</tr>\
         </thead><tbody>",
    );
    for storm in &one.storms {
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}</tr>",
            clock(&storm.from),
            clock(&storm.to),
            storm.attempts,
            storm.accepted
        );
    }
    page.push_str("</tbody></table></div>");
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A moment as people write it.
fn clock(rfc3339: &str) -> String {
    rfc3339.replace('T', " ").trim_end_matches('Z').to_owned()
}

/// What others wrote, as text, line by line.
fn escaped(text: &str) -> String {
    text.split('\n').map(html_text).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_is_never_mark_up() {
        assert_eq!(
            escaped("<script>\"&'\u{1b}[2J\u{202e}x"),
            "&lt;script&gt;&quot;&amp;&#39;\u{fffd}[2J\u{fffd}x"
        );
    }
}
