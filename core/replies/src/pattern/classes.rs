//! Words that stand for one another, under a name of their own: `{user}` in a pattern is any of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::PatternError;

/// The classes of words of a file, by name.
#[derive(Debug, Default)]
pub(crate) struct Classes(BTreeMap<String, String>);

impl Classes {
    /// A class and the words in it; a class that was added before may stand among them.
    pub(crate) fn add(&mut self, name: &str, words: &[&str]) -> Result<(), PatternError> {
        let spelled = self.spell_out(&format!("({})", words.join("|")))?.into_owned();
        self.0.insert(name.to_owned(), spelled);
        Ok(())
    }

    /// A pattern with the words of its classes in their place.
    pub(crate) fn spell_out<'p>(&self, pattern: &'p str) -> Result<Cow<'p, str>, PatternError> {
        if !pattern.contains(['{', '}']) {
            return Ok(Cow::Borrowed(pattern));
        }
        let mut spelled = String::new();
        let mut rest = pattern;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').ok_or(PatternError::Class)?;
            spelled.push_str(before);
            spelled.push_str(self.0.get(name).ok_or(PatternError::Class)?);
            rest = after;
        }
        spelled.push_str(rest);
        if spelled.contains('}') { Err(PatternError::Class) } else { Ok(Cow::Owned(spelled)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_any_of_its_words_and_may_have_another_in_it() {
        let mut classes = Classes::default();
        classes.add("user", &["user", "mailbox*"]).unwrap();
        classes.add("who", &["{user}", "host"]).unwrap();
        assert_eq!(classes.spell_out("no {user} & {who}").unwrap(), {
            "no (user|mailbox*) & ((user|mailbox*)|host)"
        });
        assert_eq!(classes.spell_out("no user").unwrap(), "no user");
    }

    #[test]
    fn a_class_that_nobody_added_and_half_a_brace_are_told() {
        let classes = Classes::default();
        for pattern in ["{user}", "{user", "user}"] {
            assert_eq!(classes.spell_out(pattern), Err(PatternError::Class), "{pattern}");
        }
    }
}
