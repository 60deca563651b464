//! Every test there is: the README's test command.
//!
//! First the peers are seen to, because a test that finds none must fail, not be skipped.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::{Ended, peers, root};

/// What to hand on to `cargo test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Options and names of tests for `cargo test`; none runs everything.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the tests of the workspace, then those of the load harness.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    if let Ended::NotYet = peers::ensure()? {
        return Ok(Ended::NotYet);
    }
    let mut tests = cargo_test(&root());
    if arguments.rest.is_empty() {
        tests.arg("--workspace");
    }
    let is_well = passes(tests.args(&arguments.rest))?
        && (!arguments.rest.is_empty()
            || passes(&mut cargo_test(&root().join("tools/mailbench")))?);
    Ok(if is_well { Ended::Well } else { Ended::Badly })
}

fn cargo_test(workspace: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).args(["test", "--locked"]);
    cargo
}

fn passes(command: &mut Command) -> anyhow::Result<bool> {
    Ok(command.status().context("while starting cargo")?.success())
}
