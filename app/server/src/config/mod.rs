//! The configuration: one TOML file, every setting declared once.
//!
//! A declaration (`settings!` in [`settings`]) gives a setting its name, unit, default, bounds,
//! meaning and source; the parser, the check, `config explain` and the reference page read it.
//! What the file says, what flags say and what holds when neither does are read alike, and
//! everything that is wrong is found at once.

pub mod settings;

mod configuration;
mod declaration;
pub(crate) mod dkim;
mod effective;
mod explain;
mod finding;
pub(crate) mod lanes;
mod load;
pub(crate) mod nearest;
mod overrides;
mod reference;
mod render;
mod section;
mod tree;
mod value;

#[cfg(test)]
mod tests;

pub use configuration::Config;
pub use declaration::{Change, Setting, SettingName};
pub use effective::{Changed, Effective};
pub use explain::{NotDeclared, explain, explain_all, explanations};
pub use finding::{Finding, Findings, Weight};
pub use load::ConfigError;
pub use overrides::Overrides;
pub use reference::reference;
pub use tree::{Origin, Spot};
pub use value::{ByPool, CalledAt, KeyFile, Percent, RulesFile, SecretFile, Size, Switch};
