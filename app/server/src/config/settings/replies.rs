//! `[replies]`: what replies mean.

use postlane_replies::{OwnRules, Providers};

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::RulesFile;

settings! {
    /// What replies mean.
    pub struct Replies in "replies" {
        /// Files with rules of your own, asked before those of the program, the first file first.
        /// `postlane rules check` says what is wrong with one, `postlane rules try` what it would
        /// change; how rules are written is in the guide to replies.
        rules: Vec<RulesFile> = default(Vec::new());
    }
}

impl Section for Replies {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        const CURE: &str = "mend the file: `postlane rules check FILE` tells all of it";
        if self.rules.is_empty() {
            return;
        }
        let names: Vec<_> = self.rules.iter().map(|file| file.path().to_string_lossy()).collect();
        let own: Vec<_> = names.iter().zip(&self.rules).map(|(n, f)| (&**n, f.text())).collect();
        match OwnRules::check(&Providers::built_in(), &own) {
            Ok(checked) => {
                for fault in checked.wrong {
                    fields.complain("rules", fault.to_string(), CURE);
                }
            }
            Err(error) => {
                for fault in error.0 {
                    fields.complain("rules", fault.to_string(), CURE);
                }
            }
        }
    }
}
