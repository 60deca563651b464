//! `postlane reload`: let the running server read its configuration again.

use postlane_api::wire::Reloaded;

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

pub(crate) fn run(reach: &Reach) -> Result<Exit, Failure> {
    // What a reload refuses is the file.
    let refused = |failure: Failure| failure.rather(Exit::Usage, Exit::Configuration);
    let reloaded: Reloaded =
        Client::find(reach)?.post("/v1/server/reload", &()).map_err(refused)?;
    if reach.json {
        print::json(&reloaded);
        return Ok(Exit::Yes);
    }
    reloaded.warnings.iter().for_each(|warning| print::note(warning));
    if reloaded.changed.is_empty() && reloaded.need_restart.is_empty() {
        print::line("no setting has changed; certificates and passwords were read again");
    }
    for name in &reloaded.changed {
        print::line(&format!("{name} holds from now on"));
    }
    for name in &reloaded.need_restart {
        print::line(&format!("{name} has changed and needs a restart"));
    }
    Ok(Exit::Yes)
}
