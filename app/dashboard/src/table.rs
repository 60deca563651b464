//! The order of a table's rows: heads that lead to it, and the order itself, which the address keeps.

use std::cmp::Ordering;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// As the address has it; empty where rows cannot be ordered by it.
    key: &'static str,
    says: &'static str,
    is_number: bool,
    is_unseen: bool,
    /// Whether the first look is at the most.
    is_most_first: bool,
}

impl Column {
    /// One that rows are not ordered by.
    pub(crate) const fn still(says: &'static str) -> Self {
        Self { key: "", says, is_number: false, is_unseen: false, is_most_first: false }
    }

    /// One whose head is only heard.
    pub(crate) const fn unseen(says: &'static str) -> Self {
        Self { is_unseen: true, ..Self::still(says) }
    }

    /// One of words: from A on.
    pub(crate) const fn words(key: &'static str, says: &'static str) -> Self {
        Self { key, ..Self::still(says) }
    }

    /// One where the most, worst or latest comes first.
    pub(crate) const fn most(key: &'static str, says: &'static str) -> Self {
        Self { is_most_first: true, ..Self::words(key, says) }
    }

    /// One of figures, which stand at the right: the most first.
    pub(crate) const fn figures(key: &'static str, says: &'static str) -> Self {
        Self { is_number: true, ..Self::most(key, says) }
    }
}

/// The head of a column as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) says: &'static str,
    /// Where rows stand in its order; empty where they cannot.
    pub(crate) address: String,
    /// As `aria-sort` has it; empty where rows stand in another order.
    pub(crate) sorted: &'static str,
    pub(crate) is_number: bool,
    pub(crate) is_unseen: bool,
}

/// What a row is worth in an order. What has none stands last, whichever way the order goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Worth {
    Words(String),
    Figure(f64),
    Nothing,
}

impl Worth {
    /// Words, large and small letters alike.
    pub(crate) fn words(text: &str) -> Self {
        match text {
            "" => Self::Nothing,
            text => Self::Words(text.to_lowercase()),
        }
    }

    /// A figure that may be unknown.
    pub(crate) fn figure(figure: Option<f64>) -> Self {
        figure.map_or(Self::Nothing, Self::Figure)
    }

    /// A moment that may be unknown.
    pub(crate) fn at(at: Option<postlane_mail::Instant>) -> Self {
        Self::figure(at.map(|at| at.0 as f64))
    }

    fn against(&self, other: &Self, is_down: bool) -> Ordering {
        let ordered = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Words(a), Self::Words(b)) => a.cmp(b),
            (Self::Figure(a), Self::Figure(b)) => a.total_cmp(b),
            (Self::Figure(_), Self::Words(_)) => Ordering::Less,
            (Self::Words(_), Self::Figure(_)) => Ordering::Greater,
        };
        if is_down { ordered.reverse() } else { ordered }
    }
}

/// The order that was asked for: `accepted`, or `-accepted` for the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    key: &'static str,
    is_down: bool,
}

impl Order {
    /// What an address asks for. A column that is not known is as good as none: rows then stand in the
    /// usual order, which is that of a column or, if `usual` is empty, of none.
    pub(crate) fn of(asked: &str, columns: &[Column], usual: &'static str) -> Self {
        let (key, is_turned) = match asked.strip_prefix('-') {
            Some(key) => (key, true),
            None => (asked, false),
        };
        let named = |key: &str| columns.iter().find(|column| !key.is_empty() && column.key == key);
        match (named(key), named(usual)) {
            (Some(column), _) => {
                Self { key: column.key, is_down: column.is_most_first != is_turned }
            }
            (None, Some(column)) => Self { key: column.key, is_down: column.is_most_first },
            (None, None) => Self { key: "", is_down: false },
        }
    }

    /// The heads; `there` makes the page's address with that order. The head of the order that holds leads
    /// to the other way round.
    pub(crate) fn heads(self, columns: &[Column], there: impl Fn(&str) -> String) -> Vec<Head> {
        let head = |column: &Column| {
            let holds = !column.key.is_empty() && column.key == self.key;
            let turned = holds && self.is_down == column.is_most_first;
            Head {
                says: column.says,
                address: match (column.key, turned) {
                    ("", _) => String::new(),
                    (key, true) => there(&format!("-{key}")),
                    (key, false) => there(key),
                },
                sorted: match (holds, self.is_down) {
                    (false, _) => "",
                    (true, true) => "descending",
                    (true, false) => "ascending",
                },
                is_number: column.is_number,
                is_unseen: column.is_unseen,
            }
        };
        columns.iter().map(head).collect()
    }

    /// Puts rows in this order; those that are worth the same stay as they stood.
    pub(crate) fn arrange<R>(self, rows: &mut [R], worth: impl Fn(&R, &str) -> Worth) {
        if !self.key.is_empty() {
            rows.sort_by(|a, b| worth(a, self.key).against(&worth(b, self.key), self.is_down));
        }
    }
}

/// Whether what somebody looks for stands in one of these texts.
pub(crate) fn finds(wanted: &str, texts: &[&str]) -> bool {
    let wanted = wanted.trim().to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [Column::words("name", "Name"), Column::figures("many", "Many"), Column::still("Said")];

    fn arranged(asked: &str, usual: &'static str) -> String {
        let mut rows = [("b", Some(2.0)), ("A", None), ("c", Some(10.0)), ("a2", Some(2.0))];
        Order::of(asked, &COLUMNS, usual).arrange(&mut rows, |row, key| match key {
            "many" => Worth::figure(row.1),
            _ => Worth::words(row.0),
        });
        rows.map(|row| row.0).join(" ")
    }

    #[test]
    fn rows_stand_in_the_order_of_the_address_and_what_is_unknown_stands_last() {
        assert_eq!(arranged("", ""), "b A c a2");
        assert_eq!(arranged("", "name"), "A a2 b c");
        assert_eq!(arranged("-name", "name"), "c b a2 A");
        assert_eq!(arranged("many", "name"), "c b a2 A");
        assert_eq!(arranged("-many", "name"), "b a2 c A");
        assert_eq!(arranged("<script>", "name"), "A a2 b c", "an unknown one is none");
    }

    #[test]
    fn a_head_leads_to_its_order_and_then_to_the_other_way_round() {
        let heads = |asked: &str| Order::of(asked, &COLUMNS, "name").heads(&COLUMNS, str::to_owned);
        let told = |asked: &str| {
            let told = heads(asked).into_iter().map(|head| (head.address, head.sorted));
            told.collect::<Vec<_>>()
        };
        let said = |pairs: [(&str, &'static str); 3]| {
            pairs.map(|(address, sorted)| (address.to_owned(), sorted)).to_vec()
        };
        assert_eq!(told(""), said([("-name", "ascending"), ("many", ""), ("", "")]));
        assert_eq!(told("-name"), said([("name", "descending"), ("many", ""), ("", "")]));
        assert_eq!(told("many"), said([("name", ""), ("-many", "descending"), ("", "")]));
        assert_eq!(told("-many"), said([("name", ""), ("many", "ascending"), ("", "")]));
    }
}
