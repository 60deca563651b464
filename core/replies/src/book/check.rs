//! Trying every rule on its own examples.

use super::{Example, Fault, Finding, Heard, Rule, RuleBook, Scratch, Wrong};
use crate::recorded::read_reply;

impl RuleBook {
    /// What is wrong with rules by their own examples: one that another label is given to, one
    /// of a provider's rules that no rule of that provider decides, or a counter-example that
    /// the rule decides all the same. Empty where all is well.
    pub fn check(&self) -> Vec<Fault> {
        let mut scratch = Scratch::default();
        let mut faults = Vec::new();
        for rule in &self.rules {
            let told = |what| Fault { file: rule.name().as_str().into(), line: 0, what };
            for example in rule.examples() {
                let Some(finding) = self.try_on(&mut scratch, rule, example) else { continue };
                if !Self::is_right(rule, &finding) {
                    faults.push(told(Wrong::Decided {
                        rule: rule.name().as_str().into(),
                        reply: example.reply.clone(),
                        by: finding.rule.map_or("no rule", |by| by.name().as_str()).into(),
                        label: finding.label.name(),
                    }));
                }
            }
            for example in rule.not_examples() {
                let finding = self.try_on(&mut scratch, rule, example);
                let by = finding.and_then(|finding| finding.rule);
                if by.is_some_and(|by| by.name() == rule.name()) {
                    let (rule, reply) = (rule.name().as_str().into(), example.reply.clone());
                    faults.push(told(Wrong::DecidesTooMuch { rule, reply }));
                }
            }
        }
        faults
    }

    /// What the book makes of an example, told who the rule is bound to.
    fn try_on(&self, scratch: &mut Scratch, rule: &Rule, example: &Example) -> Option<Finding<'_>> {
        let reply = read_reply(&example.reply)?;
        let provider = self.providers_of(rule).next().map(crate::ProviderId::as_str);
        let mx = example.mx.as_deref();
        Some(self.find(scratch, Heard { reply: &reply, stage: example.stage, provider, mx }))
    }

    /// A provider's rules may share work among them; those for everybody may not do it for them.
    fn is_right(rule: &Rule, finding: &Finding<'_>) -> bool {
        let by_provider = finding.rule.is_some_and(|by| !by.providers.is_empty());
        finding.label == rule.label() && (rule.providers.is_empty() || by_provider)
    }
}
