//! What each label means to people, and what they do, where neither rule nor provider says more.

use serde::Deserialize;

use crate::book::Advice;
use crate::label::Label;

/// What people are told of each label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanings(Box<[Advice]>);

/// Why meanings cannot be used. Whoever wrote the file is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeaningsError {
    /// It is no TOML, or has other keys than meanings have.
    #[error(
        "{0}: write [about] with source and seen, and [[label]] with name, means, operator and sender for each"
    )]
    Syntax(String),
    /// There is no such label, or it comes twice.
    #[error("\"{0}\" is no label, or comes twice: remove it")]
    Label(String),
    /// A label has no sentence, or no steps for somebody.
    #[error("\"{0}\" is not explained: write means, operator and sender")]
    Missing(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: About,
    label: Vec<Entry>,
}

/// Where it was read; for whoever reads the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "seen")]
    _seen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    means: Box<str>,
    operator: Box<[Box<str>]>,
    sender: Box<[Box<str>]>,
}

impl Meanings {
    /// Those that come with the program.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../labels.toml")).expect("a test reads the file we ship")
    }

    /// Reads a file in the form of the one that comes with the program: every label, once.
    pub fn parse(text: &str) -> Result<Self, MeaningsError> {
        let table: Table =
            toml::from_str(text).map_err(|e| MeaningsError::Syntax(e.message().to_owned()))?;
        let mut told = vec![Advice::default(); Label::ALL.len()];
        for Entry { name, means, operator, sender } in table.label {
            let place = Label::parse(&name).and_then(|label| told.get_mut(label as usize));
            match place {
                Some(advice) if *advice == Advice::default() => {
                    *advice = Advice { means, operator, sender };
                }
                _ => return Err(MeaningsError::Label(name)),
            }
        }
        let is_told = |advice: &Advice| {
            !(advice.means.is_empty() || advice.operator.is_empty() || advice.sender.is_empty())
        };
        match told.iter().position(|advice| !is_told(advice)) {
            Some(place) => Err(MeaningsError::Missing(Label::ALL[place].name())),
            None => Ok(Self(told.into())),
        }
    }

    /// What people are told of a label.
    pub fn of(&self, label: Label) -> &Advice {
        &self.0[label as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_explained_in_a_sentence_and_in_steps() {
        let meanings = Meanings::built_in();
        for label in Label::ALL {
            let advice = meanings.of(*label);
            let steps = advice.operator.iter().chain(&advice.sender);
            for said in steps.chain([&advice.means]) {
                assert!(said.ends_with('.'), "{label}: {said}");
            }
        }
    }

    #[test]
    fn what_is_missing_or_said_twice_is_refused() {
        let about = "[about]\nsource = \"s\"\nseen = \"2026\"\n";
        let one = "[[label]]\nname = \"policy\"\nmeans = \"M.\"\noperator = [\"O.\"]\nsender = [\"S.\"]\n";
        let parse = |text: &str| Meanings::parse(&format!("{about}{text}"));
        assert_eq!(parse(one), Err(MeaningsError::Missing("accepted")));
        let twice = parse(&one.repeat(2));
        assert_eq!(twice, Err(MeaningsError::Label("policy".to_owned())));
        let none = parse(&one.replace("policy", "nonsense"));
        assert_eq!(none, Err(MeaningsError::Label("nonsense".to_owned())));
        assert!(matches!(parse("x = 1"), Err(MeaningsError::Syntax(_))));
    }
}
