//! The programs the tests talk to: real mail and name servers and a browser from Debian's packages.
//!
//! This is the one list of them. Where it may (root, or sudo without a password), `ensure` installs
//! what is missing, with no service started and nothing asked; elsewhere it prints the line to run.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::ended::Ended;
use crate::root::root;

/// A Debian package and how to see that it is there.
struct Peer {
    package: &'static str,
    seen_by: SeenBy,
    /// What the tests want it for.
    why: &'static str,
}

/// What shows that a package is installed, on any distribution.
enum SeenBy {
    Program(&'static str),
    PerlModule(&'static str),
    /// Of Debian's own Python, whichever one stands first in PATH.
    PythonModule(&'static str),
}

const PEERS: &[Peer] = &[
    Peer {
        package: "postfix",
        seen_by: SeenBy::Program("smtp-source"),
        why: "a real MTA on either side, and smtp-source and smtp-sink",
    },
    Peer {
        package: "swaks",
        seen_by: SeenBy::Program("swaks"),
        why: "a submission client with every option of SMTP",
    },
    Peer {
        package: "libnet-ssleay-perl",
        seen_by: SeenBy::PerlModule("Net::SSLeay"),
        why: "swaks over TLS",
    },
    Peer {
        package: "knot",
        seen_by: SeenBy::Program("knotd"),
        why: "a real name server with a zone of MX sets",
    },
    Peer {
        package: "unbound",
        seen_by: SeenBy::Program("unbound"),
        why: "a real resolver that validates DNSSEC",
    },
    Peer {
        package: "opendkim",
        seen_by: SeenBy::Program("opendkim"),
        why: "a verifier of our RSA signatures and a signer of its own, as a milter of Postfix",
    },
    Peer {
        package: "python3-dkim",
        seen_by: SeenBy::PythonModule("dkim"),
        why: "a verifier of our Ed25519 signatures",
    },
    Peer {
        package: "python3-nacl",
        seen_by: SeenBy::PythonModule("nacl"),
        why: "Ed25519 for python3-dkim",
    },
    Peer {
        package: "chromium",
        seen_by: SeenBy::Program("chromium"),
        why: "a real browser that looks at the dashboard",
    },
    Peer { package: "nodejs", seen_by: SeenBy::Program("node"), why: "what drives the browser" },
    Peer {
        package: "npm",
        seen_by: SeenBy::Program("npm"),
        why: "playwright-core and axe-core, at the versions of the lock file",
    },
];

/// Folders of system programs, which are not in everybody's PATH.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// Installs packages without a question and without a service that starts: `policy-rc.d` says no
/// to every start while it stands there, and Postfix is left without a configuration. A package
/// that an earlier run left half configured is set right first.
const INSTALL: &str = r#"
set -eu
export DEBIAN_FRONTEND=noninteractive
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    trap 'rm -f "$guard"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
fi
dpkg --configure -a
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
apt-get -q update
apt-get -q install --yes --no-install-recommends "$@"
"#;

/// Sees to it that every peer is there. `NotYet` when somebody else must install them.
pub(crate) fn ensure() -> anyhow::Result<Ended> {
    let missing: Vec<&Peer> = PEERS.iter().filter(|peer| !is_there(&peer.seen_by)).collect();
    if missing.is_empty() {
        return modules();
    }
    for peer in &missing {
        eprintln!("xtask: {} is missing: {}", peer.package, peer.why);
    }
    let packages: Vec<&str> = missing.iter().map(|peer| peer.package).collect();
    let Some(mut shell) = shell_of_root() else {
        eprintln!("xtask: the tests need these programs; install them with");
        eprintln!("    sudo apt-get install --no-install-recommends {}", packages.join(" "));
        return Ok(Ended::NotYet);
    };
    eprintln!("xtask: installing {}", packages.join(" "));
    // What apt prints is no answer of ours: it goes where progress goes.
    let status = shell
        .args(["-c", INSTALL, "install"])
        .args(&packages)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .context("while starting the installation")?;
    anyhow::ensure!(status.success(), "the packages could not be installed ({status})");
    match missing.iter().find(|peer| !is_there(&peer.seen_by)) {
        Some(peer) => anyhow::bail!("{} is installed and still not found", peer.package),
        None => modules(),
    }
}

/// Sees to it that what drives the browser is there, at the versions of the lock file.
fn modules() -> anyhow::Result<Ended> {
    let folder = root().join("app/dashboard/browser");
    let has = |name: &str| {
        let wanted = std::fs::read_to_string(folder.join("package-lock.json")).unwrap_or_default();
        let found = folder.join("node_modules/.package-lock.json");
        let found = std::fs::read_to_string(found).unwrap_or_default();
        let version = |lock: &str| {
            let (_, rest) = lock.split_once(&format!("\"node_modules/{name}\""))?;
            rest.lines().find(|line| line.contains("\"version\"")).map(str::to_owned)
        };
        version(&wanted).is_some() && version(&wanted) == version(&found)
    };
    if ["playwright-core", "axe-core"].into_iter().all(has) {
        return Ok(Ended::Well);
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    let status = npm.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    let status = status.context("while starting npm")?;
    anyhow::ensure!(status.success(), "npm ci failed in app/dashboard/browser ({status})");
    Ok(Ended::Well)
}

/// A shell that may install packages, if we may have one without asking anybody.
fn shell_of_root() -> Option<Command> {
    if !is_program("apt-get") {
        None
    } else if succeeds(Command::new("sh").args(["-c", "[ \"$(id -u)\" = 0 ]"])) {
        Some(Command::new("sh"))
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        Some(sudo)
    } else {
        None
    }
}

fn is_there(seen_by: &SeenBy) -> bool {
    match seen_by {
        SeenBy::Program(name) => is_program(name),
        SeenBy::PerlModule(name) => {
            succeeds(Command::new("perl").args([&format!("-M{name}"), "-e1"]))
        }
        SeenBy::PythonModule(name) => {
            succeeds(Command::new("/usr/bin/python3").args(["-c", &format!("import {name}")]))
        }
    }
}

fn is_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = SYSTEM_FOLDERS.iter().map(|folder| Path::new(folder).to_owned());
    env::split_paths(&path).chain(system).any(|folder| folder.join(name).is_file())
}

/// Whether a command ends well; what it prints is of no interest.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_file() {
        assert!(is_there(&SeenBy::Program("sh")));
        assert!(!is_there(&SeenBy::Program("no-such-program-anywhere")));
    }

    #[test]
    fn what_cannot_be_started_has_not_succeeded() {
        assert!(succeeds(&mut Command::new("true")));
        assert!(!succeeds(&mut Command::new("false")));
        assert!(!succeeds(&mut Command::new("no-such-program-anywhere")));
    }

    #[test]
    fn the_installation_is_a_script_that_sh_can_read() {
        assert!(succeeds(Command::new("sh").args(["-n", "-c", INSTALL])));
    }
}
