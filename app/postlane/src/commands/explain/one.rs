//! One reply explained, for a screen.

use postlane_mail::Span;
use serde_json::Value;

use crate::print::{self, field, printable};
use crate::replies::Explained;

pub(super) fn show(explained: &Explained) {
    field("said", &printable(&explained.reply));
    if explained.code.is_none() {
        field("code", "none was said: 4xx or 5xx would say whether it is for good");
    }
    field("by", &by(explained));
    let is_guess = !explained.because.is_empty();
    let guess = if is_guess { ", perhaps" } else { "" };
    field("label", &format!("{} ({}){guess}", explained.label, explained.family));
    print::line("");
    if !explained.means.is_empty() {
        field(if is_guess { "if so" } else { "means" }, &printable(&explained.means));
    }
    field("concerns", explained.concerns);
    field("wait", &wait(explained));
    if let Some(limit) = limit(explained) {
        field("limit", &limit);
    }
    field("postlane", explained.does);
    print::line("");
    for (i, step) in explained.steps.iter().enumerate() {
        print::step(if i == 0 { "you" } else { "" }, i + 1, &printable(step));
    }
    if !explained.steps.is_empty() {
        print::line("");
    }
    found(explained);
    written(explained);
}

/// What stands in the reply beside its prose.
fn found(explained: &Explained) {
    let mut name = "found";
    for (key, value) in explained.fields.as_object().into_iter().flatten() {
        // The status is a part of what was said, and these links are among the links.
        if matches!(key.as_str(), "status" | "case_url" | "postmaster_url") {
            continue;
        }
        field(name, &format!("{}: {}", key.replace('_', " "), printable(&listed(value))));
        name = "";
    }
}

fn listed(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().map(listed).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => parts.values().map(listed).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn by(explained: &Explained) -> String {
    let name = match (&explained.provider_name, &explained.provider) {
        (Some(name), Some(id)) => format!("{id}: {}", printable(name)),
        (None, Some(id)) => printable(id),
        _ => "nobody knows whom".to_owned(),
    };
    let unknown = explained.provider.is_none();
    let cure = if unknown { ": --provider NAME or --mx HOST tells more" } else { "" };
    let at = explained.mx.as_ref().map(|mx| format!(", {}", printable(mx))).unwrap_or_default();
    let to = explained.stage.map(|stage| format!(", to {stage}")).unwrap_or_default();
    format!("{name}{at}{to}{cure}")
}

fn wait(explained: &Explained) -> String {
    match (explained.wait_s.map(Span::from_s), explained.persistence) {
        (_, "success") => "nothing to wait for".to_owned(),
        (_, "permanent") => "waiting does not help".to_owned(),
        (Some(span), _) if explained.wait_exact => format!("{span}, as the reply says"),
        (Some(span), _) => format!("about {span}"),
        (None, "until_fixed") => "until somebody mends it".to_owned(),
        _ => "as Postlane's own schedule has it".to_owned(),
    }
}

fn limit(explained: &Explained) -> Option<String> {
    let window = explained.window_s.map(|window| format!("in {}", Span::from_s(window)));
    let quota = explained.quota.map(|quota| format!("{} {}", quota.count, quota.of));
    let said: Vec<String> = quota.into_iter().chain(window).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// Where all this is written, and how sure it is.
fn written(explained: &Explained) {
    let rule = explained.rule.as_deref().unwrap_or("no rule");
    let sure = format!("{:.2} sure", explained.confidence);
    field("written", &format!("rule {rule}, {sure}"));
    if !explained.because.is_empty() {
        let words: Vec<_> = explained.because.iter().map(|words| printable(words)).collect();
        field("", &format!("a guess, by: {}", words.join(", ")));
        field("", "It names the reply; what is done is what its code alone asks for.");
    }
    if let (Some(source), Some(seen)) = (&explained.source, &explained.seen) {
        field("", &format!("{}, read {}", printable(source), printable(seen)));
    }
    // The first are those that were read; who wants all of them asks for JSON.
    const PAGES_MAX: usize = 2;
    for (i, page) in explained.postmaster.iter().take(PAGES_MAX).enumerate() {
        let doubt = if page.source.contains("unverified") { " (unverified)" } else { "" };
        let name = if i == 0 { "postmaster" } else { "" };
        field(name, &format!("{}{doubt}", printable(&page.url)));
    }
    if let Some(cluster) = &explained.cluster {
        field("new", &printable(cluster));
        field("", "No rule has words for it. One of your own can: postlane rules check --help");
    }
}
