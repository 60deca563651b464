//! What can only be judged of `[lane]` and every `[lane."NAME"]` when all of them are known.

use postlane_lanes::{Contradiction, Rules, faster};
use postlane_mail::Domain;
use postlane_net::route::ROUTE;
use postlane_replies::Providers;

use super::configuration::Config;
use super::finding::{Told, Weight};
use super::nearest::nearest;
use super::section::{Declared as _, Reading};
use super::settings::{LaneName, LaneRules, MxPattern, Route};
use super::tree::{Entry, Node, Written, find};

/// Finds sections that are about the same, and what does not go together in several.
pub(super) fn check(reading: &mut Reading, config: &Config) {
    // An entry whose name is nobody's was found wrong already.
    let names = reading.names(LaneRules::NAME, "name");
    let known = names.iter().enumerate().filter(|(_, name)| LaneName::parse(name).is_ok());
    let places: Vec<usize> = known.map(|(place, _)| place).collect();
    if places.len() != config.lanes.len() {
        return;
    }
    let all = config.lane.rules();
    let providers = Providers::built_in();
    for (at, (section, place)) in config.lanes.iter().zip(&places).enumerate() {
        let keys = reading.keys_of(LaneRules::NAME, *place);
        let has = |key: &str| keys.iter().any(|known| known == key);
        let rules = match section.name {
            LaneName::Provider(_) => section.over(&all),
            _ => section.rules(),
        };
        let mut told: Vec<Told> =
            rules.contradictions().filter_map(|what| contradiction(what, &has)).collect();
        told.extend(twice(reading, config, &places, at));
        told.extend(above_provider(config, &providers, section, &has));
        told.extend(leads_nowhere(config, section));
        told.extend(only_one_domain(&providers, &names[*place], section));
        for told in told {
            reading.find_in(LaneRules::NAME, *place, told);
        }
    }
}

/// Another section before this one, in the order of their names, is about the same.
fn twice(reading: &Reading, config: &Config, places: &[usize], at: usize) -> Option<Told> {
    let name = &config.lanes.get(at)?.name;
    let mut before = config.lanes.iter().take(at).zip(places);
    before.find(|(other, _)| other.name == *name).map(|(_, place)| Told {
        weight: Weight::Error,
        key: "name",
        cause: match reading.line_of(LaneRules::NAME, *place, "name") {
            Some(line) => format!("the section on line {line} is about \"{name}\", too"),
            None => format!("another section is about \"{name}\" already"),
        },
        cure: "join the two; a part of a provider's mail is named by `domain:` or `mx:`".to_owned(),
    })
}

/// A ceiling for a part of a provider's mail above that for all of it.
fn above_provider(
    config: &Config,
    providers: &Providers,
    section: &LaneRules,
    has: &impl Fn(&str) -> bool,
) -> Vec<Told> {
    let inside = match &section.name {
        LaneName::Domain(domain) => providers.resolve(domain.as_str()),
        LaneName::Mx(pattern) => providers.at(host_of(pattern)).map(|known| known.id.clone()),
        _ => None,
    };
    let Some(inside) = inside else { return Vec::new() };
    let outer = config
        .lanes
        .iter()
        .find(|other| matches!(&other.name, LaneName::Provider(id) if **id == *inside.as_str()));
    let Some(outer) = outer else { return Vec::new() };
    let (own, whole) = (section.rules(), outer.rules());
    let connections = own.together.connections.zip(whole.together.connections);
    let rates = own.together.rate.zip(whole.together.rate);
    let found = [
        ("max_connections", connections.is_some_and(|(own, whole)| own > whole)),
        ("max_msgs_per_minute", rates.is_some_and(|(own, whole)| faster(own, whole))),
        ("max_rate", rates.is_some_and(|(own, whole)| faster(own, whole))),
    ];
    let above = found.into_iter().filter(|(key, is_above)| *is_above && has(key));
    let told = |(key, _)| Told {
        weight: Weight::Warning,
        key,
        cause: format!("this is above the ceiling of its provider, [lane.\"{}\"]", outer.name),
        cure: "lower it, or raise the provider's; the lower one holds".to_owned(),
    };
    above.map(told).collect()
}

/// A route that is not written down.
fn leads_nowhere(config: &Config, section: &LaneRules) -> Option<Told> {
    let LaneName::Provider(id) = &section.name else { return None };
    id.strip_prefix(ROUTE)?;
    let routes = config.routes.iter().map(Route::to_static);
    let lanes: Vec<String> =
        routes.filter_map(|route| route.target.lane_name(config.delivery.mx_port)).collect();
    if lanes.iter().any(|lane| **lane == **id) {
        return None;
    }
    let known: Vec<&str> = lanes.iter().map(String::as_str).collect();
    let cure = match nearest(id, &known) {
        Some(lane) => format!("did you mean \"{lane}\"?"),
        None if known.is_empty() => "write a [[route]], or leave the section out".to_owned(),
        None => format!("write one of {}", known.join(", ")),
    };
    let cause = format!("no [[route]] leads to {id}");
    Some(Told { weight: Weight::Warning, key: "name", cause, cure })
}

/// A domain of a provider of the table, without a word that it alone is meant.
fn only_one_domain(providers: &Providers, written: &str, section: &LaneRules) -> Option<Told> {
    let LaneName::Domain(domain) = &section.name else { return None };
    let provider = providers.resolve(domain.as_str()).filter(|_| !written.contains(':'))?;
    Some(Told {
        weight: Weight::Warning,
        key: "name",
        cause: format!("this is about mail to {domain} alone, and \"{provider}\" has more domains"),
        cure: format!("write [lane.\"{provider}\"] for all of them, or \"domain:{domain}\""),
    })
}

fn host_of(pattern: &MxPattern) -> &Domain {
    match pattern {
        MxPattern::Host(host) | MxPattern::Below(host) => host,
    }
}

/// What to say of things that do not go together, where one of them is written here.
pub(super) fn contradiction(what: Contradiction, has: &impl Fn(&str) -> bool) -> Option<Told> {
    let of = |weight, keys: &[&'static str], cause: &str, cure: &str| {
        let key = keys.iter().find(|key| has(key))?;
        Some(Told { weight, key, cause: cause.to_owned(), cure: cure.to_owned() })
    };
    match what {
        Contradiction::ConnectionsOfOneAboveSum => of(
            Weight::Warning,
            &["max_connections_per_source"],
            "one source may have more connections than all of them together",
            "lower it to `max_connections`, or raise that; the lower one holds",
        ),
        Contradiction::RateOfOneAboveSum => of(
            Weight::Warning,
            &["max_msgs_per_minute_per_source", "max_rate_per_source"],
            "one source may send more in a time than all of them together",
            "lower it to the ceiling of all sources, or raise that; the lower one holds",
        ),
        Contradiction::BackoffAboveAge => of(
            Weight::Error,
            &["retry_backoff", "retry_max_age"],
            "a deferred message would be given up before it was tried again",
            "raise `retry_max_age` above `retry_backoff`",
        ),
        Contradiction::HoldBelowBackoff => of(
            Weight::Error,
            &["hold_new_when_deferred_older_than", "retry_backoff"],
            "the hold could never end: a message that is deferred once is old enough to hold all \
             new mail before it may be tried again",
            "raise `hold_new_when_deferred_older_than` above `retry_backoff`",
        ),
        Contradiction::HoldAboveAge => of(
            Weight::Warning,
            &["hold_new_when_deferred_older_than", "retry_max_age"],
            "no message gets as old as it must be to hold new mail",
            "lower `hold_new_when_deferred_older_than` below `retry_max_age`",
        ),
        _ => None,
    }
}

/// How an entry of the former `[[provider]]` is written now.
pub(super) fn provider_now(entries: &[Entry]) -> String {
    let id = find(entries, "id").and_then(|entry| entry.node.text()).unwrap_or("web.de");
    let name = match LaneName::parse(id) {
        Ok(LaneName::Domain(domain)) => format!("provider:{domain}"),
        _ => id.to_owned(),
    };
    let mut now = format!("write [lane.\"{}\"]", name.escape_debug());
    let key = |was: &str| match was {
        "connections" => Some("max_connections_per_source"),
        "rate" => Some("max_rate_per_source"),
        "session_messages" => Some("max_msgs_per_connection"),
        "families_off" => Some("families_off"),
        "tls" => Some("tls"),
        "tls_min" => Some("tls_min"),
        _ => None,
    };
    let lines = entries.iter().filter_map(|entry| Some((key(&entry.key)?, &entry.node)));
    let lines: Vec<String> =
        lines.map(|(key, node)| format!("{key} = {}", written(node))).collect();
    if !lines.is_empty() {
        now += &format!(" with {}", lines.join(", "));
    }
    now
}

/// A value as it would be written again.
fn written(node: &Node) -> String {
    match &node.written {
        Written::Text(text) => format!("\"{}\"", text.escape_debug()),
        Written::Number(number) => number.to_string(),
        Written::List(list) => {
            format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        _ => node.kind().to_owned(),
    }
}

/// What a provider's lanes keep to, from all that is said of it: by its own section, else by what
/// is known of it and by what holds for all, the lower of the two.
pub(crate) fn rules_of(section: Option<&LaneRules>, known: Option<&Rules>, all: &Rules) -> Rules {
    let silent = known.map_or_else(|| all.clone(), |known| known.and(all));
    section.map_or_else(|| silent.clone(), |section| section.over(&silent))
}
