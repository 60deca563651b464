//! A diagnosis as a good postmaster would write it: the verdict first.

use postlane_api::wire::{DiagnosisPage, EvidenceRow, ProviderDiagnosis};

use crate::commands::lane_checks::told;
use crate::print;

/// How many replies are shown of a provider.
const REPLIES_MAX: usize = 3;
/// How many changes are shown of a provider, the last.
const CHANGES_MAX: usize = 6;

/// All providers; in detail those with trouble, or all if `in_detail` says so.
pub(super) fn page(page: &DiagnosisPage, in_detail: bool) {
    let is_quiet = |of: &&ProviderDiagnosis| matches!(&*of.verdict.class, "healthy" | "too_little");
    let mut is_first = true;
    for of in page.providers.iter().filter(|of| in_detail || !is_quiet(of)) {
        if !std::mem::take(&mut is_first) {
            print::line("");
        }
        provider(of);
    }
    if in_detail {
        return;
    }
    for of in page.providers.iter().filter(is_quiet) {
        if std::mem::take(&mut is_first) {
            print::line("Nothing needs to be done.");
        }
        print::line("");
        print::line(&print::printable(&of.name));
        print::field("", &print::printable(&of.verdict.says));
    }
}

fn provider(of: &ProviderDiagnosis) {
    let verdict = &of.verdict;
    let title = print::printable(&of.name);
    for text in
        print::wrapped(&format!("{title}. {}", print::printable(&verdict.says)), print::columns())
    {
        print::line(&text);
    }
    print::line("");
    let sure = format!("{} ({:.2} sure)", verdict.class, verdict.confidence);
    let instead = verdict.instead.as_ref();
    let instead = instead.map(|of| format!(", or {} ({:.2})", of.class, of.likelihood));
    print::field("verdict", &format!("{sure}{}", instead.unwrap_or_default()));
    print::field("seen", &figures(of));
    list("why", &verdict.evidence);
    list("against", &verdict.against);
    for (n, settle) in verdict.settle.iter().enumerate() {
        print::field(if n == 0 { "settle it" } else { "" }, settle);
    }
    sources(of);
    checks(of);
    let skip = of.changed.len().saturating_sub(CHANGES_MAX);
    for (n, change) in of.changed.iter().skip(skip).enumerate() {
        let at = change.at.as_ref().map(|at| format!("{} ", at.0)).unwrap_or_default();
        let says = format!("{at}{}", print::printable(&change.says));
        print::field(if n == 0 { "changed" } else { "" }, &says);
    }
    for (n, reply) in of.replies.iter().take(REPLIES_MAX).enumerate() {
        let says = format!("{}× {}", reply.count, print::printable(&reply.reply));
        print::field(if n == 0 { "said" } else { "" }, &says);
    }
    print::line("");
    print::field("postlane", &verdict.automatic);
    for (n, step) in verdict.steps.iter().enumerate() {
        let says = print::printable(&step.says);
        print::step(if n == 0 { "you" } else { "" }, n + 1, &says);
    }
}

fn list(name: &str, evidence: &[EvidenceRow]) {
    for (n, of) in evidence.iter().enumerate() {
        print::field(if n == 0 { name } else { "" }, &print::printable(&of.says));
    }
}

fn figures(of: &ProviderDiagnosis) -> String {
    let figures = &of.figures;
    let mut says = format!(
        "{} attempts: {} accepted, {} deferred at the first attempt and {} at later ones, {} \
         refused for good",
        figures.attempts,
        figures.accepted,
        figures.deferred_fresh,
        figures.deferred_retry,
        figures.bounced
    );
    if figures.unreached > 0 {
        says.push_str(&format!(", {} without a session", figures.unreached));
    }
    if figures.expired > 0 {
        says.push_str(&format!("; {} expired", figures.expired));
    }
    says
}

/// What the figures of each source come to.
fn checks(of: &ProviderDiagnosis) {
    for source in &of.sources {
        for (n, text) in told(&source.checks) {
            let name = if n == 0 { "checks" } else { "" };
            let by = match (n, of.sources.len()) {
                (0, 2..) => format!("{}: ", print::printable(&source.source)),
                _ => String::new(),
            };
            print::field(name, &format!("{by}{}", print::printable(&text)));
        }
    }
}

/// Where there are several, and one is not like the others.
fn sources(of: &ProviderDiagnosis) {
    if of.sources.len() < 2 {
        return;
    }
    for (n, source) in of.sources.iter().enumerate() {
        let z = source.z.map(|z| format!(", z {z:.1}")).unwrap_or_default();
        let says = format!(
            "{}: {} ({:.2} sure{z}), {} of {} accepted",
            print::printable(&source.source),
            source.verdict.class,
            source.verdict.confidence,
            source.figures.accepted,
            source.figures.attempts
        );
        print::field(if n == 0 { "sources" } else { "" }, &says);
    }
}
