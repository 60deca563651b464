//! Files that are not what they should be are set aside, and nobody panics over them.

use std::fs;
use std::path::{Path, PathBuf};

use super::model::{Draw, all, open};
use crate::{Field, Filter, Ledger, Seq};

fn sealed(dir: &Path) -> PathBuf {
    let ledger = open(dir);
    let mut draw = Draw::new(9);
    for _ in 0..200 {
        ledger.append(draw.entry());
    }
    ledger.seal().unwrap();
    let mut files = fs::read_dir(dir.join("events")).unwrap();
    files.next().unwrap().unwrap().path()
}

fn ask_everything(ledger: &Ledger) {
    ledger.latest(&Filter::default(), 10, None).unwrap();
    let filter = Filter { text: Some("too".into()), ..Filter::default() };
    ledger.facets(&filter, &Field::ALL, 10).unwrap();
    ledger.follow(Seq(0), &Filter::default(), 1_000).unwrap();
    let filter = Filter { recipients: vec!["user1@web.de".into()], ..Filter::default() };
    ledger.latest(&filter, 10, None).unwrap();
}

#[test]
fn a_broken_part_is_set_aside_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let first = sealed(dir.path());
    sealed(dir.path());
    fs::write(&first, "PAR1 and nothing else").unwrap();
    let ledger = open(dir.path());
    assert_eq!(all(&ledger).len(), 200);
    assert_eq!((ledger.figures().set_aside, ledger.figures().parts), (1, 1));
    assert!(!first.exists());
}

#[test]
fn a_file_with_another_name_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    sealed(dir.path());
    let notes = dir.path().join("events/notes.txt");
    fs::write(&notes, "mine").unwrap();
    assert_eq!(all(&open(dir.path())).len(), 200);
    assert!(notes.exists());
}

#[test]
fn a_part_that_vanished_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = sealed(dir.path());
    let ledger = open(dir.path());
    fs::remove_file(path).unwrap();
    ask_everything(&ledger);
    assert!(all(&ledger).is_empty());
}

#[test]
fn no_damaged_octet_makes_anybody_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = sealed(dir.path());
    let whole = fs::read(&path).unwrap();
    let mut draw = Draw::new(11);
    for round in 0..80 {
        let mut octets = whole.clone();
        let near_end =
            whole.len() as u64 - 1 - draw.below(whole.len() as u64 / (1 + round % 4 * 6));
        octets[near_end as usize] ^= 1 << draw.below(8);
        if round % 10 == 0 {
            octets.truncate(draw.below(whole.len() as u64) as usize);
        }
        fs::write(&path, octets).unwrap();
        ask_everything(&open(dir.path()));
        let _ = fs::remove_file(path.with_extension("parquet.broken"));
    }
}
