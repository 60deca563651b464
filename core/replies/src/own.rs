//! An operator's own rules, judged before they are used: by their examples, and by what they
//! would do to the program's.

use std::collections::BTreeSet;

use crate::book::{Fault, RuleBook, RulesError};
use crate::provider::Providers;

/// What there is to say of an operator's rules that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRules {
    /// How many there are.
    pub count: usize,
    /// Their examples and counter-examples that are decided otherwise than they say.
    pub wrong: Vec<Fault>,
    /// Examples of the program's rules that would mean something else. It may be what is wanted.
    pub taken: Vec<Fault>,
}

impl OwnRules {
    /// Tries files, each with its name and text, together with the program's rules.
    pub fn check(providers: &Providers, own: &[(&str, &str)]) -> Result<Self, RulesError> {
        let alone = RuleBook::of(providers, own, &[])?;
        let names: BTreeSet<&str> = alone.rules().iter().map(|rule| rule.name().as_str()).collect();
        let faults = RuleBook::with(providers, own)?.check();
        let (wrong, taken) = faults.into_iter().partition(|fault| names.contains(&*fault.file));
        Ok(Self { count: alone.rules().len(), wrong, taken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[[rule]]\nid = \"a\"\nlabel = \"policy\"\nsays = [\"gremlins\"]\nsource = \"s\"\nseen = \"2026\"\nexamples = [\"550 gremlins\"]\n";

    fn check(text: &str) -> Result<OwnRules, RulesError> {
        OwnRules::check(&Providers::built_in(), &[("mine.toml", text)])
    }

    #[test]
    fn rules_are_judged_by_their_examples() {
        let good = OwnRules { count: 1, wrong: Vec::new(), taken: Vec::new() };
        assert_eq!(check(RULE), Ok(good));
        let wrong = check(&RULE.replace("550 gremlins", "550 user unknown")).unwrap();
        assert_eq!((wrong.wrong.len(), wrong.taken.len()), (1, 0));
        assert!(check(&RULE.replace("policy", "politics")).is_err());
    }

    #[test]
    fn what_the_programs_rules_lose_is_told_apart() {
        let greedy = check(&RULE.replace("\"gremlins\"]", "\"user unknown\", \"gremlins\"]"));
        let greedy = greedy.unwrap();
        assert!(greedy.wrong.is_empty() && !greedy.taken.is_empty());
    }
}
