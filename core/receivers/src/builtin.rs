//! The scenarios that come with the program.

/// Their names and texts, in the order of the names.
///
/// Where they speak of a provider, the quotas are those that senders report, not measured.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    &[
        ("p01-webde", include_str!("../../../examples/receivers/p01-webde.toml")),
        ("p02-gmx-shared", include_str!("../../../examples/receivers/p02-gmx-shared.toml")),
        ("p03-token-bucket", include_str!("../../../examples/receivers/p03-token-bucket.toml")),
        ("p04-yahoo-pool", include_str!("../../../examples/receivers/p04-yahoo-pool.toml")),
        ("p05-conns-only", include_str!("../../../examples/receivers/p05-conns-only.toml")),
        ("p06-penalty-box", include_str!("../../../examples/receivers/p06-penalty-box.toml")),
        ("p07-warmup", include_str!("../../../examples/receivers/p07-warmup.toml")),
        ("p08-greylist", include_str!("../../../examples/receivers/p08-greylist.toml")),
        ("p09-stacked", include_str!("../../../examples/receivers/p09-stacked.toml")),
        ("p10-poisoned-pool", include_str!("../../../examples/receivers/p10-poisoned-pool.toml")),
        ("p11-time-of-day", include_str!("../../../examples/receivers/p11-time-of-day.toml")),
        ("p12-limit-drop", include_str!("../../../examples/receivers/p12-limit-drop.toml")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn each_can_be_read_and_is_named_by_its_id() {
        for (name, text) in builtin() {
            let scenario = Scenario::parse(text).unwrap();
            assert_eq!(scenario.meta.id, *name);
            assert!(!scenario.meta.title.is_empty() && !scenario.mail.is_empty());
        }
        assert!(builtin().is_sorted());
    }

    #[test]
    fn every_file_that_is_there_is_among_them() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/receivers");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), builtin().len());
    }
}
