//! Open files: each connection needs one, and few are granted by default.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::telling::alarm::alarm;

/// Files that are open beside sessions: connections to the API, questions to the DNS, segments, logs.
/// Chosen from the bounds of each.
const BESIDE: u64 = 1_500;

/// Takes as many open files as the system allows, and says where that is not enough for so many sessions
/// with clients and with hosts.
pub(crate) fn raise_limit(sessions_in: u32, sessions_out: u32) {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit).map_err(io::Error::from);
    let wanted = u64::from(sessions_in) + u64::from(sessions_out) + BESIDE;
    // None is no limit.
    let granted = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    says(&raised, granted, wanted).iter().for_each(|text| alarm(text));
}

fn says(raised: &io::Result<()>, granted: u64, wanted: u64) -> Option<String> {
    let why = match raised {
        Ok(()) => String::new(),
        Err(why) => format!(" (it cannot be raised: {why})"),
    };
    (granted < wanted).then(|| {
        format!(
            "only {granted} files may be open{why}, and what is allowed to be open at once may need {wanted}: raise the \
             limit (LimitNOFILE= of the unit, ulimit -Hn), or lower limits.sessions and delivery.sessions"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_files_are_told_with_the_cure_and_enough_are_not() {
        let refused = || Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(says(&Ok(()), 100, 100), None);
        // What could not be raised was enough before.
        assert_eq!(says(&refused(), 100, 100), None);
        let told = says(&refused(), 99, 100).unwrap();
        for word in ["99", "100", "permission denied", "LimitNOFILE=", "limits.sessions"] {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}
