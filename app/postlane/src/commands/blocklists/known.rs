//! `postlane blocklists list`: the block lists that are known.

use postlane_checks::blocklist::{List, Lists};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::print;

pub(super) fn run(json: bool) -> Result<Exit, Failure> {
    let lists = Lists::built_in();
    if json {
        print::json(&as_json(lists));
        return Ok(Exit::Yes);
    }
    let header = ["list", "check", "weight", "key", "zone"];
    let row = |list: &List| {
        let (id, check, zone) = (list.id.clone(), list.check.clone(), list.shown_zone().to_owned());
        vec![id, check, list.weight.as_str().to_owned(), wants(list).to_owned(), zone]
    };
    print::table(&header, lists.all().map(row));
    print::line("");
    let dead: Vec<&str> = lists.dead().iter().map(|dead| &*dead.zone).collect();
    print::line(&format!("Gone, and never asked: {}", dead.join(", ")));
    Ok(Exit::Yes)
}

/// Whether a list wants a key, or takes one.
fn wants(list: &List) -> &'static str {
    match (list.takes_key(), list.wants_key(), list.register) {
        (_, true, _) => "needed",
        (true, ..) => "can be used",
        (_, _, true) => "register your resolver",
        _ => "",
    }
}

fn as_json(lists: &Lists) -> Value {
    let all = lists.all().map(|list| {
        json!({
            "id": list.id,
            "name": list.name,
            "check": list.check,
            "weight": list.weight.as_str(),
            "zone": list.shown_zone(),
            "takes_key": list.takes_key(),
            "wants_key": list.wants_key(),
            "register": list.register,
            "delist": list.delist,
            "source": list.source,
            "seen": list.seen,
        })
    });
    let dead = lists.dead().iter().map(|dead| json!({"zone": dead.zone, "since": dead.since}));
    json!({"lists": all.collect::<Vec<Value>>(), "gone": dead.collect::<Vec<Value>>()})
}
