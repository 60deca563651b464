//! Changes made on the registry's own file, where no server is asked: written down, and refused in
//! words.

use postlane_mail::Label;
use postlane_registry::{Audit, Database, RegistryError};
use postlane_server::Clock;

use crate::exit::{Exit, Failure};
use crate::print;

/// Writes down what was changed here; that it was changed counts more.
pub(super) fn audit(file: &mut Database, what: &str) {
    let audit = Audit {
        at: Clock::wall().now(),
        who: operator(),
        origin: "this machine".to_owned(),
        tenant: Label::NONE,
        what: what.to_owned(),
        detail: String::new(),
        status: 200,
    };
    if let Err(why) = file.add_audit(&audit) {
        print::note(&format!("it is done, and not in the audit: {why}"));
    }
}

/// Who works at this machine, as the system calls them.
pub(super) fn operator() -> String {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    user.unwrap_or_else(|| "operator".to_owned())
}

/// What the exit status is of a change that was not made.
pub(super) fn failed(why: &RegistryError) -> Failure {
    let exit = match why {
        RegistryError::Taken { .. } | RegistryError::Unknown { .. } => Exit::No,
        RegistryError::Refused(_) | RegistryError::Full { .. } => Exit::Usage,
        _ => Exit::Undetermined,
    };
    Failure::new(exit, why.to_string())
}

/// A name that something can have.
pub(super) fn label(text: &str) -> Result<String, String> {
    let says = "a name has 1 to 64 letters, digits, dots, hyphens and underscores";
    let known = Label::parse(text).ok().filter(|label| !label.is_none());
    known.map(|_| text.to_owned()).ok_or_else(|| says.to_owned())
}
