//! Which address asks for which scope, and what is left of it for a token that is bound to a tenant.

use axum::http::Method;
use postlane_registry::Scope;

/// What an address asks of who asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// None where every token will do.
    pub(crate) scope: Option<Scope>,
    /// Another scope that will do as well.
    pub(crate) or: Option<Scope>,
    pub(crate) tenants: Tenants,
}

/// What a token that is bound to a tenant finds at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenants {
    /// What is its tenant's, and nothing else: whoever answers there narrows it
    /// ([`super::Asker::narrow`]).
    Own,
    /// Something that is nobody's in particular.
    Shared,
    /// Nothing: it is 403.
    Closed,
}

use Scope::{Admin, Operate, Read, Submit};
use Tenants::{Closed, Own, Shared};

const fn rule(method: &'static str, path: &'static str, scope: Scope, tenants: Tenants) -> Rule {
    Rule { method, path, scope: Some(scope), or: None, tenants }
}

impl Rule {
    /// What it asks for, in words.
    pub(crate) fn wants(&self) -> String {
        let scopes = self.scope.into_iter().chain(self.or).map(Scope::as_str);
        let scopes: Vec<&str> = scopes.collect();
        if scopes.is_empty() { "any".to_owned() } else { scopes.join(" or ") }
    }
}

/// All addresses. A test holds that each has its line here and in `docs/guide/api.md`.
pub(crate) const RULES: &[Rule] = &[
    rule("POST", "/v1/messages", Submit, Own),
    rule("GET", "/v1/queue", Read, Own),
    rule("GET", "/v1/queue/summary", Read, Own),
    rule("GET", "/v1/queue/{id}", Read, Own),
    rule("POST", "/v1/queue/actions", Operate, Own),
    rule("GET", "/v1/events", Read, Own),
    rule("GET", "/v1/log", Read, Own),
    rule("GET", "/v1/log/facets", Read, Own),
    rule("GET", "/v1/log/stats", Read, Own),
    rule("GET", "/v1/log/views", Read, Own),
    rule("GET", "/v1/log/export", Read, Own),
    rule("GET", "/v1/log/follow", Read, Own),
    rule("GET", "/v1/tallies", Read, Own),
    rule("GET", "/v1/trace/{what}", Read, Closed),
    rule("GET", "/v1/diagnosis", Read, Closed),
    rule("GET", "/v1/evidence", Read, Closed),
    rule("GET", "/v1/incidents", Read, Own),
    rule("GET", "/v1/incidents/{id}", Read, Own),
    rule("POST", "/v1/incidents/{id}/steps/{step}", Operate, Own),
    rule("DELETE", "/v1/incidents/{id}/steps/{step}", Operate, Own),
    rule("POST", "/v1/incidents/{id}/{command}", Operate, Own),
    Rule { or: Some(Read), ..rule("POST", "/v1/checks/message", Submit, Shared) },
    rule("GET", "/v1/checks/domain/{name}", Read, Shared),
    rule("GET", "/v1/checks/ip/{address}", Read, Shared),
    rule("GET", "/v1/checks/spf", Read, Shared),
    rule("GET", "/v1/checks/spf/flat/{domain}", Read, Shared),
    rule("GET", "/v1/checks/dkim", Read, Own),
    rule("GET", "/v1/blocklists", Read, Own),
    rule("GET", "/v1/blocklists/history", Read, Own),
    rule("POST", "/v1/blocklists/check", Operate, Closed),
    rule("GET", "/v1/domains", Read, Own),
    rule("GET", "/v1/domains/{name}", Read, Own),
    rule("POST", "/v1/domains/{name}/check", Operate, Closed),
    rule("GET", "/v1/replies/unclassified", Read, Closed),
    rule("GET", "/v1/suppressions", Read, Own),
    rule("GET", "/v1/suppressions/{address}", Read, Own),
    rule("POST", "/v1/suppressions", Operate, Own),
    rule("DELETE", "/v1/suppressions", Operate, Own),
    rule("DELETE", "/v1/suppressions/{address}", Operate, Own),
    rule("GET", "/v1/lanes", Read, Shared),
    rule("GET", "/v1/lanes/{provider}", Read, Shared),
    rule("GET", "/v1/lanes/{provider}/{name}", Read, Shared),
    rule("POST", "/v1/lanes/{provider}/{name}", Operate, Closed),
    rule("GET", "/v1/lanes/{provider}/{name}/beliefs", Read, Closed),
    rule("GET", "/v1/preflight", Read, Own),
    rule("POST", "/v1/preflight/recheck", Operate, Own),
    rule("GET", "/v1/tls-reports", Read, Closed),
    rule("GET", "/v1/views", Read, Own),
    rule("PUT", "/v1/views", Operate, Own),
    rule("DELETE", "/v1/views/{name}", Operate, Own),
    rule("GET", "/v1/tests", Read, Own),
    rule("GET", "/v1/tests/{id}", Read, Own),
    rule("POST", "/v1/tests", Operate, Own),
    rule("GET", "/v1/rehearsals", Read, Own),
    rule("POST", "/v1/rehearsals", Operate, Own),
    rule("GET", "/v1/rehearsals/{id}", Read, Own),
    rule("DELETE", "/v1/rehearsals/{id}", Operate, Own),
    rule("GET", "/v1/rehearsals/{id}/outcomes", Read, Own),
    rule("GET", "/v1/rehearsals/{id}/config", Read, Own),
    rule("GET", "/v1/rehearsals/{id}/scenario", Read, Own),
    rule("GET", "/v1/rehearsals/{id}/events", Read, Own),
    rule("GET", "/v1/server", Read, Closed),
    rule("POST", "/v1/server/reload", Admin, Closed),
    rule("GET", "/v1/tokens", Admin, Closed),
    rule("POST", "/v1/tokens", Admin, Closed),
    rule("DELETE", "/v1/tokens/{name}", Admin, Closed),
    rule("GET", "/v1/users", Admin, Closed),
    rule("POST", "/v1/users", Admin, Closed),
    rule("POST", "/v1/users/{name}/{command}", Admin, Closed),
    rule("GET", "/v1/audit", Admin, Closed),
    rule("GET", "/v1/webhooks", Admin, Closed),
    rule("POST", "/v1/webhooks", Admin, Closed),
    rule("DELETE", "/v1/webhooks/{name}", Admin, Closed),
    rule("POST", "/v1/webhooks/{name}/{command}", Admin, Closed),
    Rule { method: "GET", path: "/v1/whoami", scope: None, or: None, tenants: Own },
];

/// The rule of an address. HEAD asks for what GET gives (RFC 9110 §9.3.2).
pub(crate) fn rule_of(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Addresses and methods, as the router has them.
    fn routes() -> BTreeSet<(String, String)> {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let methods = |(path, methods): (&String, &serde_json::Value)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        paths.iter().flat_map(methods).collect()
    }

    #[test]
    fn every_address_has_its_rule_and_every_rule_its_address() {
        let ruled = RULES.iter().map(|rule| (rule.method.to_owned(), rule.path.to_owned()));
        let ruled: BTreeSet<_> = ruled.collect();
        let without: Vec<_> = routes().difference(&ruled).cloned().collect();
        assert!(without.is_empty(), "say in RULES which scope these ask for: {without:?}");
        let nowhere: Vec<_> = ruled.difference(&routes()).cloned().collect();
        assert!(nowhere.is_empty(), "these are gone: {nowhere:?}");
        assert_eq!(ruled.len(), RULES.len(), "an address has two rules");
    }

    #[test]
    fn what_changes_something_asks_for_more_than_to_read() {
        for rule in RULES.iter().filter(|rule| rule.method != "GET") {
            assert!(!matches!(rule.scope, None | Some(Read)), "{rule:?}");
        }
    }

    #[test]
    fn the_guide_has_the_table_of_addresses() {
        let guide = include_str!("../../../../docs/guide/api.md");
        for rule in RULES {
            let scope = rule.wants();
            let tenants = match rule.tenants {
                Own => "its tenant's",
                Shared => "without figures",
                Closed => "403",
            };
            let line = format!("| `{} {}` | {scope} | {tenants} |", rule.method, rule.path);
            assert!(guide.contains(&line), "docs/guide/api.md lacks {line}");
        }
    }
}
