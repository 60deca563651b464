//! The page of a provider: who it is, and what its hosts say.

use postlane_replies::Provider;

use super::page::{Page, escaped};
use super::{Knowledge, rules};

pub(super) fn page(known: &Knowledge, provider: &Provider) -> String {
    let mut page = Page::new(&provider.name);
    page.paragraph(super::index::MADE);
    page.points(&facts(provider));
    if !provider.notes.is_empty() {
        let note = |note: &postlane_replies::Note| {
            format!("{} ({})", escaped(&note.says), escaped(&note.source))
        };
        page.paragraph("What a sender should know:");
        page.points(&provider.notes.iter().map(note).collect::<Vec<_>>());
    }
    rules::write(&mut page, known, Some(provider));
    page.end()
}

fn facts(provider: &Provider) -> Vec<String> {
    let mut facts = vec![format!("id: `{}`", provider.id)];
    let mut fact = |name: &str, what: Vec<String>| {
        if !what.is_empty() {
            facts.push(format!("{name}: {}", what.join(", ")));
        }
    };
    let brand =
        |brand: &postlane_replies::Brand| format!("{} (`{}`)", escaped(&brand.name), brand.id);
    fact("brands", provider.brands.iter().map(brand).collect());
    fact("other names", provider.aliases.iter().map(|alias| escaped(alias)).collect());
    let code = |name: &str| format!("`{name}`");
    fact("domains", provider.domains.iter().map(|domain| code(domain)).collect());
    let doubt = |suffix: &str| {
        let is_unverified = provider.mx_unverified.iter().any(|other| **other == *suffix);
        if is_unverified { " (unverified)" } else { "" }
    };
    let suffix = |suffix: &str| format!("`{suffix}`{}", doubt(suffix));
    fact("MX hosts end in", provider.mx_suffixes.iter().map(|end| suffix(end)).collect());
    let url = |page: &postlane_replies::PostmasterPage| {
        format!("<{}> ({})", page.url, escaped(&page.source))
    };
    fact("postmaster", provider.postmaster.iter().map(url).collect());
    fact("hosts read", vec![format!("{}, {}", escaped(&provider.source), provider.seen)]);
    facts
}
