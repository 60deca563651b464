//! `postlane spf`: a record with its networks written out, and whether a published copy still
//! has what its source has.

use clap::{Args, Subcommand};
use postlane_checks::spf::{FlattenError, Flattened, flatten};
use postlane_checks::{Known, Name};
use postlane_inspection::{Drift, flat_as_json};

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
        print::json(&flat_as_json(&source, drift.as_ref()));
    } else {
        match &drift {
            Some(drift) => show_drift(drift),
            None => show(&source),
        }
    }
    if drift.is_none() && source.lookups > Flattened::LOOKUPS_MAX {
        return Err(too_much(&source));
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

fn too_much(found: &Flattened) -> Failure {
    let says = format!(
        "do not publish this: it costs receivers {} lookups, and with more than {} all mail fails \
         (RFC 7208 §4.6.4). {} networks are too many to write out: leave the include: of the largest \
         sender where it is, or send its mail from a name of its own",
        found.lookups,
        Flattened::LOOKUPS_MAX,
        found.networks.len(),
    );
    Failure::new(Exit::No, says)
}

fn show_drift(drift: &Drift) {
    if drift.missing.is_empty() && drift.extra.is_empty() {
        print::line("the published record has what its source has");
    }
    if !drift.missing.is_empty() {
        print::field("missing", &drift.missing.join(" "));
        print::field("to do", "Publish the record anew: mail from there is refused.");
    }
    if !drift.extra.is_empty() {
        print::field("left over", &drift.extra.join(" "));
    }
}

fn show(found: &Flattened) {
    for (name, text) in &found.records {
        print::line(&print::printable(&format!("{name}. TXT \"{text}\"")));
    }
    for term in &found.kept {
        let why = Flattened::of_a_message(term).map(|(is, means)| format!("{is} is {means}"));
        let why = why.collect::<Vec<_>>().join(", ");
        if !why.is_empty() {
            let says = format!("{term} stays: {why}, and that is another for each message");
            print::note(&print::printable(&says));
        }
    }
    print::note(&format!(
        "{} networks, {} terms kept as they are. Keep the source record at a name of its own \
         (--source), publish the copy beside it first, hold it against the source (--against), \
         and look again at least once an hour: networks change without notice.",
        found.networks.len(),
        found.kept.len()
    ));
}
