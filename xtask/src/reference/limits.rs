//! What is known of providers' limits: one table, with who told each, where and when.

use postlane_lanes::{Defaults, Fact, Teller};
use postlane_replies::Providers;

use super::page::{Page, escaped};

pub(super) fn page(providers: &Providers, known: &Defaults) -> String {
    let mut page = Page::new("What is known of providers' limits");
    page.paragraph(
        "Ceilings for whoever says nothing else: a section `[lane.\"NAME\"]` of a \
         [configuration](settings.md#lanename) beats them. This page is made of the program's own table by \
         `cargo xtask reference`.",
    );
    page.paragraph(
        "Some limits were told by the provider; others work for senders, and nobody has promised them. \
         *Unverified* ones were not looked up at their source. No provider publishes its windows, quotas \
         and penalties: lanes learn those.",
    );
    page.head(&["provider", "setting", "value", "told by", "source", "seen"]);
    for (id, limits) in known.iter() {
        let name = providers.named(id).map_or(id, |known| &known.name);
        limits.facts.iter().for_each(|fact| row(&mut page, id, name, fact));
    }
    page.end()
}

fn row(page: &mut Page, id: &str, name: &str, fact: &Fact) {
    let by = match fact.by {
        Teller::Provider => "the provider",
        Teller::Senders => "senders",
    };
    let unverified = if fact.is_unverified { " (*unverified*)" } else { "" };
    page.row(&[
        format!("{} (`{id}`)", escaped(name)),
        format!("`{}`", fact.setting),
        format!("`{}`", fact.value),
        by.to_owned(),
        format!("{}{unverified}", escaped(&fact.source)),
        fact.seen.to_string(),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_of_a_provider_of_the_table() {
        let providers = Providers::built_in();
        for (id, _) in Defaults::built_in().iter() {
            assert_eq!(providers.named(id).map(|known| known.id.as_str()), Some(id), "{id}");
        }
    }
}
