//! How a setting is declared: once, for the parser, the check, `config explain` and the
//! reference alike.

use std::fmt;

use super::value::Value;

/// A setting as everybody but the parser needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: SettingName,
    /// What it says, in sentences.
    pub says: String,
    /// How it is written.
    pub form: String,
    /// What holds when nothing is written; none for a setting that must be written.
    pub default: Option<String>,
    /// The least and the most that is allowed.
    pub bounds: Option<(String, String)>,
    /// What is counted, for a number.
    pub unit: &'static str,
    /// Where the default comes from.
    pub source: &'static str,
    /// When a change holds.
    pub change: Change,
}

/// The name of a setting, dotted: `lane.session_messages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettingName {
    /// The section it stands in.
    pub section: &'static str,
    /// Its key there.
    pub key: &'static str,
}

/// When a change of a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From the reload on, for what begins then.
    Live,
    /// Only after a restart.
    Restart,
}

/// A setting as it is declared.
pub(crate) struct Declaration<T> {
    pub(super) default: Option<T>,
    /// What is said of a default that is not the same on every machine.
    pub(super) default_says: Option<&'static str>,
    pub(super) bounds: Option<Bounds<T>>,
    unit: &'static str,
    source: &'static str,
    pub(super) change: Change,
}

/// The least and the most.
pub(super) struct Bounds<T> {
    pub(super) min: T,
    pub(super) max: T,
    pub(super) allow: fn(&Self, &T) -> bool,
}

/// What nobody has measured says so.
const CHOSEN: &str = "chosen, not measured";

/// A setting that has this value when nothing is written.
pub(crate) fn default<T>(value: T) -> Declaration<T> {
    Declaration { default: Some(value), ..required() }
}

/// A setting that must be written.
pub(crate) fn required<T>() -> Declaration<T> {
    Declaration {
        default: None,
        default_says: None,
        bounds: None,
        unit: "",
        source: CHOSEN,
        change: Change::Live,
    }
}

/// A setting that need not be written.
pub(crate) fn optional<T>() -> Declaration<Option<T>> {
    default(None)
}

impl<T> Declaration<T> {
    /// No less and no more.
    pub(crate) fn between(mut self, min: T, max: T) -> Self
    where
        T: PartialOrd,
    {
        let allow = |bounds: &Bounds<T>, value: &T| (&bounds.min..=&bounds.max).contains(&value);
        self.bounds = Some(Bounds { min, max, allow });
        self
    }

    /// What the number counts.
    pub(crate) fn of(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// Where the default comes from, if somebody else has chosen it.
    pub(crate) fn from(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// What to say of a default that is not the same on every machine.
    pub(crate) fn said(mut self, words: &'static str) -> Self {
        self.default_says = Some(words);
        self
    }

    /// A change holds only after a restart.
    pub(crate) fn restart(mut self) -> Self {
        self.change = Change::Restart;
        self
    }

    /// The declaration as everybody but the parser needs it.
    pub(crate) fn setting(self, name: SettingName, says: &str) -> Setting
    where
        T: Value,
    {
        let default = self.default.as_ref().map(T::show);
        Setting {
            name,
            says: says.trim().to_owned(),
            form: T::form(),
            default: self.default_says.map(str::to_owned).or(default),
            bounds: self.bounds.map(|Bounds { min, max, .. }| (min.show(), max.show())),
            unit: self.unit,
            source: self.source,
            change: self.change,
        }
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.key)
    }
}

/// Declares the settings of a section: a struct whose fields are written as they are called.
///
/// What a field's doc comment says is what an operator reads about the setting.
macro_rules! settings {
    (
        $(#[doc = $title:literal])+
        pub struct $Section:ident in $name:literal {
            $(
                $(#[doc = $says:literal])+
                $key:ident: $T:ty = $declaration:expr;
            )+
        }
    ) => {
        $(#[doc = $title])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Section {
            $(
                $(#[doc = $says])+
                pub $key: $T,
            )+
        }

        impl $crate::config::section::Declared for $Section {
            const NAME: &'static str = $name;
            const TITLE: &'static str = concat!($($title, "\n"),+);

            fn declared() -> Vec<$crate::config::declaration::Setting> {
                vec![$({
                    let name = $crate::config::declaration::SettingName {
                        section: $name,
                        key: stringify!($key),
                    };
                    let declaration: $crate::config::declaration::Declaration<$T> = $declaration;
                    declaration.setting(name, concat!($($says, "\n"),+))
                }),+]
            }

            fn read(fields: &mut $crate::config::section::Fields<'_, '_>) -> Option<Self> {
                $(let $key: Option<$T> = fields.read(stringify!($key), $declaration);)+
                Some(Self { $($key: $key?),+ })
            }

            fn keep_what_needs_a_restart(&mut self, old: &Self) {
                $(
                    let declaration: $crate::config::declaration::Declaration<$T> = $declaration;
                    if declaration.change == $crate::config::declaration::Change::Restart {
                        self.$key.clone_from(&old.$key);
                    }
                )+
            }
        }
    };
}

pub(crate) use settings;
