//! `postlane rules`: an operator's own rules, checked and tried before they are used.

mod tried;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use postlane_replies::{Fault, OwnRules, Providers};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;
use crate::replies::read_rules;

/// What can be done with rules of one's own. No server needs to run.
#[derive(Subcommand)]
pub(crate) enum RulesCommand {
    /// Say everything that is wrong with files of rules, and try each rule on its examples
    #[command(after_long_help = FORM)]
    Check {
        /// Files of rules
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Say what files of rules would change for replies that were recorded
    Try {
        /// Files of rules
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The replies: a log, a list or JSON lines; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        on: PathBuf,
    },
}

/// How a rule is written, for `--help`; all of it is in the guide.
const FORM: &str = "\
A file of rules (docs/guide/replies.md says all of it):
  [about]
  providers = [\"united-internet\"]   # leave it out for rules that hold for everybody
  source = \"ticket 4711\"            # where it was read, and when
  seen = \"2026-11-20\"

  [[rule]]
  id = \"partner-limit\"
  label = \"rate_limited\"
  says = [\"partner limit .. (reached|exceeded)\"]
  wait = \"2h\"
  means = \"The limit we have agreed on is reached.\"
  operator = [\"Spread the mailing over the day.\"]
  examples = [\"421 partner limit for 192.0.2.1 reached\"]";

pub(crate) fn run(reach: &Reach, command: &RulesCommand) -> Result<Exit, Failure> {
    match command {
        RulesCommand::Check { files } => check(reach, files),
        RulesCommand::Try { files, on } => tried::run(reach, &paths(files), on),
    }
}

fn paths(files: &[PathBuf]) -> Vec<&Path> {
    files.iter().map(PathBuf::as_path).collect()
}

fn check(reach: &Reach, files: &[PathBuf]) -> Result<Exit, Failure> {
    let texts = read_rules(&paths(files))?;
    let named: Vec<_> = texts.iter().map(|(name, text)| (&**name, &**text)).collect();
    let checked = match OwnRules::check(&Providers::built_in(), &named) {
        Ok(checked) => checked,
        Err(error) => return Ok(refused(reach, &error.0)),
    };
    let OwnRules { count, wrong, taken } = checked;
    if reach.json {
        print::json(&json!({
            "rules": count,
            "wrong": wrong.iter().map(fault).collect::<Vec<_>>(),
            "changed": taken.iter().map(fault).collect::<Vec<_>>(),
        }));
        return Ok(if wrong.is_empty() { Exit::Yes } else { Exit::Usage });
    }
    wrong.iter().for_each(|fault| print::error(&fault.to_string()));
    if !taken.is_empty() {
        print::note("Of the program's own rules, these examples would mean something else:");
        taken.iter().for_each(|fault| print::note(&format!("  {fault}")));
    }
    if !wrong.is_empty() {
        return Ok(Exit::Usage);
    }
    let rules = if count == 1 { "rule" } else { "rules" };
    print::line(&format!("{count} {rules} can be used: each example is decided as it should be"));
    Ok(Exit::Yes)
}

/// Says why files cannot be read at all.
fn refused(reach: &Reach, faults: &[Fault]) -> Exit {
    if reach.json {
        let wrong: Vec<_> = faults.iter().map(fault).collect();
        print::json(&json!({ "rules": 0, "wrong": wrong, "changed": [] }));
    } else {
        faults.iter().for_each(|fault| print::error(&fault.to_string()));
    }
    Exit::Usage
}

fn fault(fault: &Fault) -> serde_json::Value {
    json!({ "file": fault.file, "line": fault.line, "text": fault.what.to_string() })
}
