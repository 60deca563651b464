//! Values that may be missing, off, or several.

use std::hash::DefaultHasher;

use super::{Value, Wrongs};
use crate::config::tree::{Node, Written};

/// Something that can be switched off, by the word `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch<T> {
    /// There is none.
    Off,
    /// This much.
    On(T),
}

impl<T> Switch<T> {
    /// The value, unless it is off.
    pub fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: Value> Value for Switch<T> {
    fn form() -> String {
        format!("{}; or `off`", T::form())
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        if node.text() == Some("off") {
            return Some(Self::Off);
        }
        T::read(node, wrongs).map(Self::On)
    }

    fn show(&self) -> String {
        match self {
            Self::Off => "\"off\"".to_owned(),
            Self::On(value) => value.show(),
        }
    }

    fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        match self {
            Self::Off => {}
            Self::On(value) => value.mark(hasher),
        }
    }
}

impl<T: Value> Value for Option<T> {
    fn form() -> String {
        T::form()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        T::read(node, wrongs).map(Some)
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::show)
    }

    fn is_off(&self) -> bool {
        self.as_ref().is_none_or(T::is_off)
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        if let Some(value) = self {
            value.mark(hasher);
        }
    }
}

impl<T: Value> Value for Vec<T> {
    fn form() -> String {
        format!("a list, each {}", T::form())
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let Written::List(list) = &node.written else {
            let cause = format!("`{}` is {}, and a list is wanted", wrongs.name(), node.kind());
            wrongs.add(node, cause, "write it in brackets, with commas between");
            return None;
        };
        // The right ones stand for all while reading goes on: more may be wrong with them.
        Some(list.iter().filter_map(|node| T::read(node, wrongs)).collect())
    }

    fn show(&self) -> String {
        let shown: Vec<String> = self.iter().map(T::show).collect();
        format!("[{}]", shown.join(", "))
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        for value in self {
            value.mark(hasher);
        }
    }
}
