//! Saved views of the delivery log: a name for what people look for again and again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::LogQuery;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogView {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// What it shows, for people.
    pub title: String,
    /// Which entries are meant.
    pub query: LogQuery,
}

/// All saved views.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogViews {
    /// Those that come with the program first.
    pub views: Vec<LogView>,
}

impl LogViews {
    /// Those that come with the program.
    pub fn built_in() -> Self {
        Self { views: BUILT_IN.iter().map(LogView::of).collect() }
    }

    /// The view of that name.
    pub fn find(&self, name: &str) -> Option<&LogView> {
        self.views.iter().find(|view| view.name == name)
    }

    /// What a query means, its view's part included; or what is wrong with the view's name.
    pub fn resolve(&self, query: LogQuery) -> Result<LogQuery, String> {
        let Some(name) = query.view.clone() else { return Ok(query) };
        let view = self.find(&name).ok_or_else(|| {
            let known: Vec<&str> = self.views.iter().map(|view| &*view.name).collect();
            format!("view {name:?} is not known: use {}", known.join(", "))
        })?;
        Ok(query.or(&view.query))
    }
}

impl LogView {
    fn of(BuiltIn(name, title, query): &BuiltIn) -> Self {
        let mut of = LogQuery::default();
        for (key, value) in *query {
            let value = Some((*value).to_owned());
            match *key {
                "since" => of.since = value,
                "provider" => of.provider = value,
                "code" => of.code = value,
                "kind" => of.kind = value,
                "try" => of.tries = value,
                "label" => of.label = value,
                _ => {}
            }
        }
        Self { name: (*name).to_owned(), title: (*title).to_owned(), query: of }
    }
}

/// Name, title, and what is asked for.
struct BuiltIn(&'static str, &'static str, &'static [(&'static str, &'static str)]);

const BUILT_IN: [BuiltIn; 8] = [
    BuiltIn(
        "gmx-421",
        "GMX and web.de 421, last 24 h",
        &[("provider", "united-internet"), ("code", "421"), ("since", "24h")],
    ),
    BuiltIn("deferred", "Deferred, last 24 h", &[("kind", "deferred"), ("since", "24h")]),
    BuiltIn(
        "first-deferred",
        "Deferred at the first attempt, last 24 h",
        &[("kind", "deferred"), ("try", "fresh"), ("since", "24h")],
    ),
    BuiltIn(
        "failed",
        "Refused for good or expired, last 24 h",
        &[("kind", "bounced,expired"), ("since", "24h")],
    ),
    BuiltIn(
        "unreached",
        "Hosts that could not be reached, last 24 h",
        &[("kind", "connect-failed,session-lost"), ("since", "24h")],
    ),
    BuiltIn(
        "came-back",
        "Bounces that came back and complaints, last 7 d",
        &[("kind", "returned,complaint"), ("since", "7d")],
    ),
    BuiltIn(
        "lanes",
        "What lanes did and were told, last 24 h",
        &[("kind", "lane"), ("since", "24h")],
    ),
    BuiltIn(
        "not-taken",
        "Messages refused at intake, last 24 h",
        &[("kind", "refused"), ("since", "24h")],
    ),
];

#[cfg(test)]
mod tests {
    use postlane_mail::Instant;

    use super::*;

    #[test]
    fn every_view_that_comes_with_the_program_can_be_asked_for() {
        let views = LogViews::built_in();
        for view in &views.views {
            let query = LogQuery { view: Some(view.name.clone()), ..LogQuery::default() };
            let query = views.resolve(query).unwrap();
            let filter = query.filter(Instant::from_unix_s(1_795_239_545)).unwrap();
            assert!(filter.from.is_some(), "{}", view.name);
            assert_ne!(query, LogQuery { view: query.view.clone(), ..LogQuery::default() });
        }
    }

    #[test]
    fn a_view_that_nobody_has_is_named_with_those_there_are() {
        let query = LogQuery { view: Some("gmx".to_owned()), ..LogQuery::default() };
        let says = LogViews::built_in().resolve(query).unwrap_err();
        assert!(says.contains("\"gmx\" is not known: use gmx-421, "), "{says}");
    }
}
