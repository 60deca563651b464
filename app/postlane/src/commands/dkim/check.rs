//! `postlane dkim check`: do receivers find the keys that we sign with?

use std::path::PathBuf;

use clap::Args;
use postlane_checks::dkim::Visible;
use postlane_inspection::{key_as_json, key_word};
use postlane_mail::Domain;
use postlane_server::config::settings::Dkim;
use postlane_server::config::{Config, Overrides};

use crate::commands::check::Answers;
use crate::commands::config::{refused, warn};
use crate::exit::{Exit, Failure};
use crate::print;

/// Which keys, and whom to ask.
#[derive(Args)]
pub(crate) struct Check {
    /// Of this domain alone
    #[arg(value_name = "DOMAIN", value_parser = Domain::parse)]
    domain: Option<Domain>,
    /// The configuration with the keys
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &Check, json: bool) -> Result<Exit, Failure> {
    let config = match Config::load(Some(&check.config), &Overrides::default()) {
        Ok(config) => config,
        Err(error) => return Ok(refused(&error, json)),
    };
    if !json {
        warn(config.warnings());
    }
    let is_asked = |key: &&Dkim| check.domain.as_ref().is_none_or(|asked| *asked == key.domain);
    let mut signers = Vec::new();
    for key in config.dkim.iter().filter(is_asked) {
        signers.push(key.signer().map_err(|error| Failure::usage(error.to_string()))?);
    }
    if signers.is_empty() {
        return Err(Failure::new(
            Exit::No,
            "no [[dkim]] is about that: `postlane dkim new` makes keys",
        ));
    }
    let found = check.answers.run(|known| {
        // All are asked for before the first answer is waited for.
        let found: Vec<_> = signers.iter().map(|signer| signer.published(known)).collect();
        found.into_iter().collect::<Option<Vec<Visible>>>()
    })?;
    let mut exit = Exit::Yes;
    for (signer, found) in signers.iter().zip(&found) {
        let (word, of) = (
            key_word(found),
            match found {
                Visible::Yes | Visible::Testing => Exit::Yes,
                Visible::Unknown(_) => Exit::Undetermined,
                _ => Exit::No,
            },
        );
        exit = if exit == Exit::No || of == Exit::Yes { exit } else { of };
        let told = key_as_json(signer, found).map_err(|e| Failure::usage(e.to_string()))?;
        if json {
            print::json(&told);
        } else {
            let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
            let says = print::printable(&text("says"));
            print::line(&format!("{word:<8}{}: {says}", text("name")));
            if of != Exit::Yes {
                print::line(&format!("        publish there, as TXT: {}", text("record")));
            }
        }
    }
    Ok(exit)
}
