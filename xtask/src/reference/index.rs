//! The index: all providers, with the names by which they are known.

use postlane_replies::Provider;

use super::Knowledge;
use super::page::{Page, escaped};

/// What stands at the top of every page.
pub(super) const MADE: &str = "This page is made of the program's own rules by `cargo xtask reference`; \
    `postlane explain` tells the same of a reply. How it is used, and how to write rules of one's own, is in \
    the [guide](../../guide/replies.md).";

pub(super) fn page(known: &Knowledge) -> String {
    let mut page = Page::new("What replies mean");
    page.paragraph(MADE);
    page.paragraph(
        "[Labels](labels.md) are what a reply can mean. [Rules for everybody](generic.md) know what any \
         host may say; those of a provider are asked before them. Wherever a provider is asked for, its id, a \
         brand or another name of its will do; letters and digits count, case does not.",
    );
    page.head(&["provider", "id", "also", "rules"]);
    for provider in known.providers.known() {
        row(&mut page, known, provider);
    }
    page.end()
}

fn row(page: &mut Page, known: &Knowledge, provider: &Provider) {
    let rules = known.rules_of(Some(provider)).count();
    let name = escaped(&provider.name);
    let linked = if rules > 0 { format!("[{name}]({}.md)", provider.id) } else { name };
    let brands = provider.brands.iter().map(|brand| &brand.name);
    let also: Vec<_> = brands.chain(&provider.aliases).map(|name| escaped(name)).collect();
    let rules = if rules > 0 { rules.to_string() } else { "-".to_owned() };
    page.row(&[linked, format!("`{}`", provider.id), also.join(", "), rules]);
}
