//! What replies that nobody has a rule for have in common.
//!
//! Two replies that differ in addresses, numbers and queue ids alone are of one cluster, so an
//! operator sees each new text once, with how often it came.

use postlane_mail::Reply;

use crate::words::words;

/// How long a cluster's name may be, in octets.
const CLUSTER_MAX: usize = 240;
/// How much of a text is looked at, in octets: names are cut far before.
const TEXT_MAX: usize = 4096;

/// The cluster of a reply: its code and its words, `#` for what is a number or a name made by a
/// machine. At most 240 octets.
pub fn cluster_of(reply: &Reply) -> String {
    let text = reply.text();
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let words = words(&text[..end.unwrap_or_default()]);
    let mut name = reply.code().to_string();
    for word in words.split_ascii_whitespace() {
        let word = if is_made(word) { "#" } else { word };
        if word == "#" && name.ends_with('#') {
            continue;
        }
        if name.len() + 1 + word.len() > CLUSTER_MAX {
            break;
        }
        name.push(' ');
        name.push_str(word);
    }
    name
}

/// Whether a word has a digit or is longer than words are: a number, an id, a host's tag.
fn is_made(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() > 24
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::read_reply;

    fn cluster(text: &str) -> String {
        cluster_of(&read_reply(text).unwrap())
    }

    #[test]
    fn what_differs_in_addresses_numbers_and_ids_alone_is_one_cluster() {
        let one = cluster("550 5.7.0 <a@b.example>: Gremlins [192.0.2.1] (id 4Zx9Q1abc)");
        assert_eq!(one, "550 # gremlins # id #");
        assert_eq!(one, cluster("550 5.1.99 c@d.example: gremlins [2001:db8::7] (ID 7Yw2)"));
        assert_ne!(one, cluster("450 5.7.0 gremlins 1 id 2"));
    }

    #[test]
    fn a_name_is_never_longer_than_its_limit() {
        assert!(cluster(&format!("550 {}", "word ".repeat(1000))).len() <= CLUSTER_MAX);
        assert_eq!(cluster(&format!("550 {}", "ä".repeat(5000))), "550 #");
    }
}
