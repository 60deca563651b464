//! `postlane spf`: a record with its networks written out, and whether a published copy still
//! has what its source has.

use clap::{Args, Subcommand};
use postlane_checks::spf::{FlattenError, Flattened, flatten};
use postlane_checks::{Known, Name};
use serde_json::{Value, json};

use super::check::Answers;
use crate::exit::{Exit, Failure};
use crate::print;

/// What is done with a record.
#[derive(Subcommand)]
pub(crate) enum SpfCommand {
    /// Write out the networks that a record's names lead to, so that receivers need not ask for them
    Flatten(Box<FlattenSpf>),
}

/// Which record.
#[derive(Args)]
pub(crate) struct FlattenSpf {
    /// The domain that the written-out record is for
    domain: String,
    /// Where the record stands that it is made of [default: the domain itself]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Hold the record that is published there against the source and say what it lacks
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    #[command(flatten)]
    answers: Answers,
}

pub(crate) fn run(command: &SpfCommand, json: bool) -> Result<Exit, Failure> {
    let SpfCommand::Flatten(asked) = command;
    let domain = name(&asked.domain)?;
    let source = asked.source.as_deref().map_or_else(|| Ok(domain.clone()), name)?;
    let against = asked.against.as_deref().map(name).transpose()?;
    let look = |known: &mut Known| {
        let source = flatten(known, &source, &domain);
        let copy = against.as_ref().map(|against| flatten(known, against, &domain));
        Some((source?, copy.map_or(Some(None), |copy| copy.map(Some))?))
    };
    let (source, copy) = asked.answers.run(look)?;
    let source = source.map_err(|e| failure(&e))?;
    let copy = copy.transpose().map_err(|e| failure(&e))?;
    let drift = copy.as_ref().map(|copy| Drift::between(&source, copy));
    if json {
        print::json(&as_json(&source, drift.as_ref()));
    } else {
        match &drift {
            Some(drift) => drift.show(),
            None => show(&source),
        }
    }
    Ok(if drift.is_some_and(|drift| !drift.missing.is_empty()) { Exit::No } else { Exit::Yes })
}

fn name(text: &str) -> Result<Name, Failure> {
    Name::parse(text)
        .map_err(|e| Failure::usage(format!("{} is no name: {e}", print::printable(text))))
}

fn failure(error: &FlattenError) -> Failure {
    let exit = match error {
        FlattenError::Open(..) => Exit::Undetermined,
        _ => Exit::No,
    };
    Failure::new(exit, error.to_string())
}

/// What a published copy has otherwise than its source.
struct Drift {
    /// Networks that the source passes and the copy does not.
    missing: Vec<String>,
    /// Networks that the copy passes and the source does not.
    extra: Vec<String>,
}

impl Drift {
    fn between(source: &Flattened, copy: &Flattened) -> Self {
        let shown = |all: Vec<_>| all.iter().map(ToString::to_string).collect();
        Self { missing: shown(copy.missing_of(source)), extra: shown(source.missing_of(copy)) }
    }

    fn show(&self) {
        if self.missing.is_empty() && self.extra.is_empty() {
            print::line("the published record has what its source has");
        }
        if !self.missing.is_empty() {
            print::field("missing", &self.missing.join(" "));
            print::field("to do", "Publish the record anew: mail from there is refused.");
        }
        if !self.extra.is_empty() {
            print::field("left over", &self.extra.join(" "));
        }
    }
}

fn show(found: &Flattened) {
    for (name, text) in &found.records {
        print::line(&print::printable(&format!("{name}. TXT \"{text}\"")));
    }
    print::note(&format!(
        "{} networks, {} terms kept as they are. Keep the source record at a name of its own \
         (--source), publish the copy beside it first, hold it against the source (--against), \
         and look again at least once an hour: networks change without notice.",
        found.networks.len(),
        found.kept.len()
    ));
}

fn as_json(found: &Flattened, drift: Option<&Drift>) -> Value {
    let records =
        found.records.iter().map(|(name, text)| json!({"name": name.to_string(), "txt": text}));
    json!({
        "records": records.collect::<Vec<Value>>(),
        "networks": found.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "kept": found.kept.iter().map(|term| &**term).collect::<Vec<_>>(),
        "missing": drift.map(|drift| &drift.missing),
        "extra": drift.map(|drift| &drift.extra),
    })
}
