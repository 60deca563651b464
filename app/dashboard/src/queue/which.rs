//! Which mail is meant, as the page's address has it and as the API takes it.

use postlane_api::wire::FilterQuery;

use crate::numbers::{foreign, query, span};

/// Keys that a filter may have.
const KEYS: [&str; 9] = [
    "provider",
    "domain",
    "status",
    "stream",
    "campaign",
    "tenant",
    "id",
    "older_than_s",
    "younger_than_s",
];

/// What is asked for: pairs of key and value, none of them empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Which(Vec<(String, String)>);

impl Which {
    /// What of an address names mail; other keys are no part of it.
    pub(crate) fn of(pairs: &[(String, String)]) -> Self {
        let given = pairs.iter().map(|(key, value)| (key.as_str(), value.trim()));
        let known = given.filter(|(key, value)| KEYS.contains(key) && !value.is_empty());
        Self(known.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn value(&self, key: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The same, with another value; without the key where the value is empty.
    pub(crate) fn with(&self, key: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(known, _)| known != key).cloned();
        let new = (!value.is_empty()).then(|| (key.to_owned(), value.to_owned()));
        Self(others.chain(new).collect())
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// As the query of an address, with more behind it.
    pub(crate) fn query(&self, more: &[(&str, &str)]) -> String {
        let own = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        query(&own.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// As the query of an address, and nothing else.
    pub(crate) fn address(&self) -> String {
        self.query(&[])
    }

    /// As the API takes it.
    pub(crate) fn filter(&self) -> FilterQuery {
        let given = |key: &str| Some(self.value(key)).filter(|value| !value.is_empty());
        let seconds = |key: &str| given(key).and_then(|text| text.parse().ok());
        FilterQuery {
            id: given("id"),
            domain: given("domain"),
            provider: given("provider"),
            stream: given("stream"),
            tenant: given("tenant"),
            campaign: given("campaign"),
            status: given("status"),
            older_than_s: seconds("older_than_s"),
            younger_than_s: seconds("younger_than_s"),
            ..FilterQuery::default()
        }
    }

    /// In words.
    pub(crate) fn says(&self) -> String {
        let word = |(key, value): &(String, String)| match key.as_str() {
            "older_than_s" => format!("older than {}", age(value)),
            "younger_than_s" => format!("younger than {}", age(value)),
            "id" => format!("message {}", foreign(value)),
            key => format!("{key} {}", foreign(value)),
        };
        let words: Vec<String> = self.0.iter().map(word).collect();
        if words.is_empty() { "everything that waits".to_owned() } else { words.join(", ") }
    }
}

fn age(seconds: &str) -> String {
    seconds.parse().map_or_else(|_| foreign(seconds), span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_mail_and_the_api_takes_the_same() {
        let pairs =
            [("status", "held"), ("older_than_s", "7200"), ("cursor", "9"), ("domain", " ")];
        let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let which = Which::of(&pairs);
        assert_eq!(which.says(), "status held, older than 2 h");
        assert_eq!(which.query(&[("cursor", "10")]), "status=held&older_than_s=7200&cursor=10");
        let filter = which.filter();
        assert_eq!((filter.status.as_deref(), filter.older_than_s), (Some("held"), Some(7_200)));
        assert_eq!(which.with("status", "").says(), "older than 2 h");
        let all = Which::of(&[]);
        assert!(all.is_everything() && all.says() == "everything that waits");
    }
}
