//! What a reload may change, and what needs a restart.

use crate::handle::ReloadReport;
use crate::setup::Setup;

/// What has changed between two setups, by setting.
pub(crate) fn compare(old: &Setup, new: &Setup) -> ReloadReport {
    let mut report = ReloadReport::default();
    let mut restart = |name: &str, same: bool| {
        if !same {
            report.need_restart.push(name.to_owned());
        }
    };
    restart("spool.dir", old.data == new.data);
    let addresses = |setup: &Setup| setup.listeners.iter().map(|l| l.address).collect::<Vec<_>>();
    restart("listener.address", addresses(old) == addresses(new));
    restart("http.address", old.http == new.http);
    restart("relay.hostname", old.hostname == new.hostname);
    restart("delivery.resolver", old.resolvers == new.resolvers);
    restart("delivery.mx_port", old.mx_port == new.mx_port);
    restart("spool.cache", old.cache_octets == new.cache_octets);
    if format!("{old:?}") != format!("{:?}", keep_what_needs_a_restart(old, new.clone())) {
        report.changed.push("everything else in the file".to_owned());
    }
    report
}

/// The new setup, with what only a restart can change as it was.
pub(crate) fn keep_what_needs_a_restart(old: &Setup, new: Setup) -> Setup {
    Setup {
        data: old.data.clone(),
        listeners: if new.listeners.len() == old.listeners.len() {
            let addresses = old.listeners.iter().map(|listener| listener.address);
            let with = new.listeners.into_iter().zip(addresses);
            with.map(|(listener, address)| crate::setup::ListenerSetup { address, ..listener })
                .collect()
        } else {
            old.listeners.clone()
        },
        http: old.http,
        hostname: old.hostname.clone(),
        resolvers: old.resolvers.clone(),
        mx_port: old.mx_port,
        cache_octets: old.cache_octets,
        spool: old.spool,
        seed: old.seed,
        clock: old.clock,
        ..new
    }
}
