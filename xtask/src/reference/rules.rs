//! Rules as a page tells them: under each label, what is said, what it means, and what to do.

use postlane_replies::{
    Advice, Diagnosis, Example, Heard, Label, Provider, Rule, Scratch, read_reply,
};

use super::Knowledge;
use super::page::{Page, escaped};

/// The page of the rules that hold for everybody.
pub(super) fn generic(known: &Knowledge) -> String {
    let mut page = Page::new("What any host may say");
    page.paragraph(super::index::MADE);
    page.paragraph(
        "These rules are asked after those of the provider that spoke, and the more exact before the \
         less. What Postlane does about a label, and what one can do, is under [labels](labels.md).",
    );
    write(&mut page, known, None);
    page.end()
}

/// All rules of a provider, or those for everybody, label by label.
pub(super) fn write(page: &mut Page, known: &Knowledge, provider: Option<&Provider>) {
    let mut scratch = Scratch::default();
    for label in Label::ALL {
        let mut rules = known.rules_of(provider).filter(|rule| rule.label() == *label).peekable();
        if rules.peek().is_none() {
            continue;
        }
        page.heading(2, &format!("`{label}`"));
        let advice = provider.and_then(|of| known.book.advice_of(of.id.as_str(), *label));
        let meaning = advice.filter(|advice| !advice.means.is_empty());
        let means = &meaning.unwrap_or_else(|| known.meanings.of(*label)).means;
        page.paragraph(&format!("{} [More.](labels.md#{label})", escaped(means)));
        if let Some(advice) = advice {
            steps(page, advice);
        }
        for rule in rules {
            one(page, known, &mut scratch, rule, provider);
        }
    }
}

fn one(
    page: &mut Page,
    known: &Knowledge,
    scratch: &mut Scratch,
    rule: &Rule,
    provider: Option<&Provider>,
) {
    page.heading(3, &format!("`{}`", rule.name()));
    for example in rule.examples() {
        page.verbatim(&example.reply);
    }
    let advice = rule.advice();
    if !advice.means.is_empty() {
        page.paragraph(&escaped(&advice.means));
    }
    steps(page, advice);
    let mut points = Vec::new();
    if let Some(diagnosis) = diagnosed(known, scratch, rule, provider) {
        points.push(format!("Postlane: {}", escaped(diagnosis.action.says())));
    }
    if let Some(wait) = rule.wait() {
        points.push(format!("Wait: {wait}, unless the reply says otherwise."));
    }
    let origin = rule.origin();
    let source = escaped(&origin.source);
    points.push(format!("Read: {source}, {}; {}.", origin.seen, rule.rank().name()));
    page.points(&points);
}

/// What the book makes of the rule's first example.
fn diagnosed(
    known: &Knowledge,
    scratch: &mut Scratch,
    rule: &Rule,
    provider: Option<&Provider>,
) -> Option<Diagnosis> {
    let Example { reply, stage, mx, .. } = rule.examples().first()?;
    let reply = read_reply(reply)?;
    let provider = provider.map(|provider| provider.id.as_str());
    let heard = Heard { reply: &reply, stage: *stage, provider, mx: mx.as_deref() };
    Some(known.book.diagnose(scratch, heard))
}

/// What one can do: who runs the server, and who does not.
pub(super) fn steps(page: &mut Page, advice: &Advice) {
    for (whom, steps) in
        [("If you run the server:", &advice.operator), ("If you do not:", &advice.sender)]
    {
        if !steps.is_empty() {
            page.paragraph(whom);
            page.steps(steps);
        }
    }
}
