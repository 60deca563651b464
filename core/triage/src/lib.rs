//! What is wrong, who must do what about it, and how sure that is: from counted attempts.
//!
//! It reads a [`Picture`]: counts of what was accepted and refused, by provider and source, with
//! samples of the replies, whoever counted them, this relay or another MTA's log. It does not
//! act, and it says of every verdict what speaks against it (docs/design/017).

mod assess;
mod assessment;
mod changed;
mod class;
mod evidence;
mod figures;
mod group;
mod incident;
mod incident_key;
mod incidents;
mod pack;
mod part;
mod picture;
mod settle;
mod share;
mod sight;
mod slots;
mod statistic;
mod steps;
mod subject;
mod table;
mod verdict;
mod waves;
mod weight;

pub use assess::assess;
pub use assessment::{Assessment, SourceAssessment};
pub use changed::Changed;
pub use class::Class;
pub use evidence::{Evidence, Measure};
pub use figures::{Figures, Turned};
pub use group::Group;
pub use incident::{CheckedStep, Closed, Impact, Incident, IncidentError, Note};
pub use incident_key::IncidentKey;
pub use incidents::{IncidentChange, Incidents};
pub use pack::{
    Addressee, Attempt, Contact, Dossier, Pack, PackFile, Shown, SourceProof, html_text,
};
pub use picture::{
    Backlog, Change, ChangeKind, GateSeen, Kind, LaneSeen, Picture, Ptr, Sample, SourceSeen, Tally,
    Turn,
};
pub use share::Share;
pub use sight::{GoneRecord, ListedSubject, PausedWebhook};
pub use slots::{Slot, Slots};
pub use statistic::{Comparison, wilson};
pub use steps::Step;
pub use verdict::Verdict;
