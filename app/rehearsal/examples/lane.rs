//! The engine alone against scenarios, five seeds each, a line for each run:
//! `cargo run --release --example lane -- FILE…`

use std::io::Write as _;
use std::time::Instant;

use postlane_receivers::Scenario;
use postlane_rehearsal::{Knowledge, Measures, Recorder, ceiling_of, default_settings, run};

fn main() -> std::io::Result<()> {
    let knowledge = Knowledge::built_in();
    let mut out = std::io::stdout().lock();
    for file in std::env::args().skip(1) {
        let scenario = Scenario::parse(&std::fs::read_to_string(&file)?)
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        for number in 0..5 {
            let began = Instant::now();
            let seed = scenario.run_seed(number);
            let recorder = Recorder::new(seed, ceiling_of(&scenario), scenario.sender.ips.len());
            let (run, _) = run(&scenario, seed, &knowledge, &default_settings(), recorder);
            let measures = Measures::of(&run);
            writeln!(out, "{} {:?} in {:?}", scenario.meta.id, measures, began.elapsed())?;
        }
    }
    Ok(())
}
