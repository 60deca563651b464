//! Which lanes the overview shows and in which order: the address says it, and a file of the same
//! address has the same rows.

use askama::Template;
use serde::Deserialize;

use super::chip::{Chip, band};
use super::figures::Figures;
use super::range::Range;
use super::row::{LaneLine, ProviderLine};
use crate::numbers::query;
use crate::table::{Column, Head, Order, Worth, finds};

/// How far back the small plots look, which lanes are shown, and in which order.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    range: String,
    pub(super) find: String,
    pub(super) state: String,
    pub(super) sort: String,
}

/// A provider and its lanes, rows already drawn.
pub(super) struct Group {
    pub(super) provider: ProviderLine,
    pub(super) lanes: Vec<LaneLine>,
}

/// A choice of lanes.
struct Show {
    says: &'static str,
    means: &'static str,
    many: usize,
    address: String,
    is_here: bool,
}

/// Choices of lanes, and how many lanes each has.
#[derive(Template)]
#[template(path = "overview_shows.html")]
pub(super) struct Shows {
    shows: Vec<Show>,
}

const ATTENTION: &str = "attention";
const MEANS: &str = "Held, quarantined or resting, or a tenth and more of fresh mail is deferred";

impl Asked {
    pub(super) fn range(&self) -> Range {
        Range::named(&self.range)
    }

    /// The same with other values, as the query of an address.
    fn query_with(&self, changed: &[(&str, &str)]) -> String {
        let own = [
            ("range", self.range.as_str()),
            ("find", self.find.trim()),
            ("state", self.state.as_str()),
            ("sort", self.sort.as_str()),
        ];
        let value = |(key, value)| {
            let new = changed.iter().find(|(changed, _)| *changed == key);
            (key, new.map_or(value, |(_, new)| *new))
        };
        query(&own.map(value))
    }

    /// As the query of an address.
    pub(super) fn query(&self) -> String {
        self.query_with(&[])
    }

    /// The overview with other values.
    pub(super) fn address(&self, changed: &[(&str, &str)]) -> String {
        match self.query_with(changed).as_str() {
            "" => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }

    /// What a search keeps: name and value.
    pub(super) fn kept(&self) -> [(&'static str, &str); 3] {
        [("range", &self.range), ("state", &self.state), ("sort", &self.sort)]
    }

    /// The overview with all lanes, in the same order.
    pub(super) fn all(&self) -> String {
        self.address(&[("find", ""), ("state", "")])
    }

    fn order(&self, columns: &[Column]) -> Order {
        Order::of(&self.sort, columns, "")
    }

    pub(super) fn heads(&self) -> Vec<Head> {
        let columns = columns(self.range());
        self.order(&columns).heads(&columns, |sort| self.address(&[("sort", sort)]))
    }

    /// Leaves what is asked for, in the order that is asked for, and says what else can be chosen.
    pub(super) fn choose(&self, groups: &mut Vec<Group>) -> Shows {
        let shows = self.shows(groups);
        for group in groups.iter_mut() {
            let provider = &group.provider;
            let is_named = finds(&self.find, &[&provider.name, &provider.id]);
            group.lanes.retain(|lane| {
                lane.is_among(&self.state) && (is_named || finds(&self.find, &[&lane.source]))
            });
        }
        groups.retain(|group| {
            // Mail without a lane is shown where nothing is said of lanes.
            let provider = &group.provider;
            let is_bare = self.state.is_empty() && provider.is_bare;
            let is_named = finds(&self.find, &[&provider.name, &provider.id]);
            !group.lanes.is_empty() || (is_bare && is_named)
        });
        let order = self.order(&columns(self.range()));
        for group in groups.iter_mut() {
            order.arrange(&mut group.lanes, |lane, by| {
                worth(by, &lane.source, Some(lane.chip), lane.figures)
            });
        }
        order.arrange(groups, |group, by| {
            let provider = &group.provider;
            let chip = group.lanes.iter().map(|lane| lane.chip).max();
            worth(by, &provider.name, chip, provider.figures)
        });
        shows
    }

    fn shows(&self, groups: &[Group]) -> Shows {
        let many = |state: &str| {
            groups.iter().flat_map(|group| &group.lanes).filter(|lane| lane.is_among(state)).count()
        };
        let states = [
            Chip::Resting,
            Chip::Quarantined,
            Chip::Held,
            Chip::Steady,
            Chip::Restart(1),
            Chip::Healthy,
        ];
        let states = states.map(|chip| (chip.word(), chip.name(), chip.means()));
        let all = [("", "All", ""), (ATTENTION, "Needs a look", MEANS)];
        let show = |(state, says, means): (&str, &'static str, &'static str)| Show {
            says,
            means,
            many: many(state),
            address: self.address(&[("state", state)]),
            is_here: self.state == state,
        };
        let shown = all.into_iter().chain(states).map(show).enumerate();
        // Those two stand always; a state only where a lane has it or it was asked for.
        let stands = |(place, show): &(usize, Show)| *place < 2 || show.many > 0 || show.is_here;
        Shows { shows: shown.filter(stands).map(|(_, show)| show).collect() }
    }
}

fn columns(range: Range) -> [Column; 10] {
    [
        Column::words("name", "Lane"),
        Column::most("state", "State"),
        Column::still("Cap"),
        Column::figures("accepted", "Accepted/h"),
        Column::still(range.says),
        Column::figures("deferral", "Deferred"),
        Column::still("of fresh mail"),
        Column::figures("queue", "Queue"),
        Column::still("Next, and what was said last"),
        Column::unseen("Orders"),
    ]
}

fn worth(by: &str, name: &str, chip: Option<Chip>, figures: Figures) -> Worth {
    match by {
        "state" => Worth::figure(chip.map(|chip| f64::from(chip.rank()))),
        "accepted" => Worth::Figure(figures.accepted_per_h),
        "deferral" => Worth::figure(figures.deferral()),
        "queue" => Worth::Figure(figures.waits as f64),
        _ => Worth::words(name),
    }
}

impl LaneLine {
    fn is_among(&self, state: &str) -> bool {
        match state {
            "" => true,
            ATTENTION => {
                self.chip >= Chip::Held || self.figures.deferral().map(band) == Some("bad")
            }
            state => self.chip.word() == state,
        }
    }
}

impl Group {
    /// A row of a file for each lane, and one for mail that waits without any.
    pub(super) fn cells(&self) -> Vec<Vec<String>> {
        let (id, waits) = (&self.provider.id, self.provider.figures.waits.to_string());
        let mut rows: Vec<Vec<String>> =
            self.lanes.iter().map(|lane| lane.cells(id, &waits)).collect();
        if rows.is_empty() {
            let mut row = vec![String::new(); 16];
            row[0].clone_from(id);
            row[11] = waits;
            rows.push(row);
        }
        rows
    }
}

impl LaneLine {
    fn cells(&self, provider: &str, waits: &str) -> Vec<String> {
        let last = self.last_reply.as_ref();
        vec![
            provider.to_owned(),
            self.source.clone(),
            self.chip.says(),
            self.cap.rate.clone(),
            self.cap.set_by.clone(),
            self.cap.sessions.clone(),
            format!("{:.1}", self.figures.accepted_per_h),
            self.figures.fresh.to_string(),
            self.figures.deferred_fresh.to_string(),
            self.pressure.replace('–', ""),
            self.figures.waits.to_string(),
            waits.to_owned(),
            self.next.says.clone(),
            self.next.until.clone(),
            last.map(|last| last.code.clone()).unwrap_or_default(),
            last.map(|last| last.text.clone()).unwrap_or_default(),
        ]
    }
}
