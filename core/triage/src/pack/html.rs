//! The report as one HTML file that loads nothing, for light and dark, for desk and telephone.

use std::fmt::Write as _;

use postlane_mail::is_unruly;

use super::plot;
use super::report::{Report, SampleRow};
use crate::evidence::Evidence;

const STYLE: &str = include_str!("pack.css");

pub(super) fn write(report: &Report<'_>) -> String {
    let verdict = &report.assessment.verdict;
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{0}: evidence</title><style>\n{STYLE}</style></head><body><main>\n\
         <p class=\"over\">Evidence, {1} to {2}</p><h1>{0}</h1>\n\
         <p class=\"verdict\"><b>{3}</b> {4}</p>\n<p class=\"small\">Confidence {5:.2}. Made {6}; all times UTC. {7}</p>\n",
        text(report.provider),
        report.from,
        report.to,
        text(verdict.class.title()),
        text(&verdict.says),
        verdict.confidence,
        report.made,
        text(report.addresses()),
    );
    figures(&mut html, report);
    let _ = writeln!(html, "<figure>{}</figure>", plot::write(&report.hours, report.hour));
    sources(&mut html, report);
    html.push_str("<div class=\"two\">");
    evidence(&mut html, "Why", &verdict.evidence);
    evidence(&mut html, "What speaks against it", &verdict.against);
    html.push_str("</div>\n");
    replies(&mut html, report);
    html.push_str("<section><h2>Samples</h2>\n");
    for (n, sample) in report.samples.iter().enumerate() {
        one(&mut html, n + 1, sample);
    }
    html.push_str("</section>\n");
    changes(&mut html, report);
    html.push_str("</main></body></html>\n");
    html
}

fn figures(html: &mut String, report: &Report<'_>) {
    let figures = &report.assessment.figures;
    let elsewhere = &report.assessment.elsewhere;
    let elsewhere = match elsewhere.attempts() {
        0 => "–".to_owned(),
        _ => elsewhere.trouble_share().to_string(),
    };
    html.push_str("<dl class=\"figures\">");
    for (name, value) in [
        ("attempts", figures.attempts().to_string()),
        ("accepted", figures.accepted().to_string()),
        ("deferred", figures.deferred().to_string()),
        ("refused for good", figures.bounced().to_string()),
        ("first attempts accepted", figures.first_attempt_share().to_string()),
        ("refused at other providers", elsewhere),
    ] {
        let _ = write!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html.push_str("</dl>\n");
}

fn sources(html: &mut String, report: &Report<'_>) {
    html.push_str("<section><h2>Sources</h2><div class=\"wide\"><table><thead><tr>");
    for name in [
        "Source",
        "Address",
        "EHLO",
        "Reverse DNS",
        "Attempts",
        "Accepted",
        "Deferred",
        "Refused",
        "First taken",
        "z",
    ] {
        let _ = write!(html, "<th>{name}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for row in &report.sources {
        html.push_str("<tr>");
        for value in [&row.name, &row.address, &row.ehlo, &row.ptr] {
            let _ = write!(html, "<td>{}</td>", text(value));
        }
        for value in [row.attempts, row.accepted, row.deferred, row.bounced] {
            let _ = write!(html, "<td class=\"n\">{value}</td>");
        }
        for value in [&row.first_attempts_accepted, &row.z] {
            let _ = write!(html, "<td class=\"n\">{}</td>", text(value));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></section>\n");
}

fn evidence(html: &mut String, title: &str, list: &[Evidence]) {
    let _ = write!(html, "<section><h2>{title}</h2><ul>");
    for of in list {
        let _ = write!(html, "<li>{}</li>", text(&of.says));
    }
    html.push_str("</ul></section>");
}

fn replies(html: &mut String, report: &Report<'_>) {
    html.push_str("<section><h2>Replies</h2><ul class=\"replies\">");
    for (count, reply) in &report.replies {
        let _ = write!(html, "<li><b>{count}</b> <code>{}</code></li>", text(reply));
    }
    for case in &report.cases {
        let _ = write!(html, "<li>case <code>{}</code></li>", text(case));
    }
    html.push_str("</ul></section>\n");
}

fn one(html: &mut String, n: usize, sample: &SampleRow) {
    let _ = write!(
        html,
        "<article><h3>{n}. <time>{}</time></h3><pre>{}</pre><dl>",
        sample.at,
        lines(&sample.reply)
    );
    for (name, value) in sample.facts().into_iter().filter(|(name, _)| *name != "reply") {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", text(&value));
    }
    html.push_str("</dl>");
    if let Some(headers) = &sample.headers {
        let _ = write!(
            html,
            "<details><summary>Headers</summary><pre>{}</pre></details>",
            lines(headers)
        );
    }
    html.push_str("</article>\n");
}

fn changes(html: &mut String, report: &Report<'_>) {
    html.push_str("<section><h2>What was changed already</h2>");
    if report.changes.is_empty() {
        html.push_str("<p>Nothing that was recorded.</p>");
    }
    html.push_str("<ul>");
    for (at, says) in &report.changes {
        let _ = write!(html, "<li><time>{at}</time> {}</li>", text(says));
    }
    html.push_str("</ul></section>\n");
    if report.contacts.is_empty() {
        return;
    }
    html.push_str("<section><h2>Where to write</h2><ul>");
    for contact in report.contacts {
        let _ = write!(
            html,
            "<li><code>{}</code> <span class=\"small\">{}</span></li>",
            text(&contact.url),
            text(&contact.source)
        );
    }
    html.push_str("</ul></section>\n");
}

/// With nothing in it that HTML would act on (the HTML standard, §13.1.2), on one line.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_unruly(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The same on several lines.
fn lines(of: &str) -> String {
    of.lines().map(|line| text(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}
