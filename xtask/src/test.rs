//! Every test there is: the README's test command.
//!
//! First the peers are seen to, because a test that finds none must fail, not be skipped.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::ended::Ended;
use crate::peers;
use crate::root::root;

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
    if !peers::succeeds(Command::new("sh").args(["-c", "[ \"$(id -u)\" = 0 ]"])) {
        let runner = format!("CARGO_TARGET_{}_RUNNER", host()?);
        if peers::succeeds(Command::new("sudo").args(["-n", "true"])) {
            tests.env(runner, AS_ROOT);
        } else if arguments.rest.is_empty() && env::var_os(&runner).is_none() {
            eprintln!("xtask: Postfix changes users as it goes, so tests must run as root: run");
            eprintln!("    sudo -v && {runner}='sudo -E' cargo xtask test");
            return Ok(Ended::NotYet);
        }
    }
    if arguments.rest.is_empty() {
        tests.arg("--workspace");
    }
    let is_well = passes(tests.args(&arguments.rest))?
        && (!arguments.rest.is_empty()
            || passes(&mut cargo_test(&root().join("tools/mailbench")))?);
    Ok(if is_well { Ended::Well } else { Ended::Badly })
}

/// Tests are built by whoever asks for them and run by root: nothing that is built is root's.
const AS_ROOT: &str = "sudo -n -E";

/// This machine, as it stands in the names of cargo's variables: `X86_64_UNKNOWN_LINUX_GNU`.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("while starting rustc")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say what machine it is for")?;
    Ok(host.to_uppercase().replace(['-', '.'], "_"))
}

fn cargo_test(workspace: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).args(["test", "--locked"]);
    cargo
}

fn passes(command: &mut Command) -> anyhow::Result<bool> {
    Ok(command.status().context("while starting cargo")?.success())
}
