//! A Postfix in a few lines: an active queue, a destination that rests after a refusal, and
//! messages that come again after a backoff (qmgr(8)); and the log it would write.

use std::fmt::Write as _;

use postlane_receivers::{Addressee, Ms, Receiver, Source};

use crate::receiver::{Drawn, Numbers};

/// The moment everything begins: 2026-03-02 00:00:17 UTC, no round one.
const BEGIN_S: u64 = 1_772_409_617;
const QUEUE_RUN_S: u64 = 300;
const BACKOFF_MIN_S: u64 = 300;
const BACKOFF_MAX_S: u64 = 4_000;
/// Mail that waits is no more than this; beyond, nothing new comes.
const QUEUE_MAX: usize = 400;

struct Waiting {
    id: u32,
    arrived_s: u64,
    due_s: u64,
}

/// The log of a run.
pub(crate) fn log(drawn: &Drawn, seed: u64) -> String {
    let mut receiver = Receiver::new(&drawn.scenario, seed);
    let mut chance = Numbers::new(seed ^ 0xACE);
    let mut log = String::new();
    let mut queue: Vec<Waiting> = Vec::new();
    // Short windows are met by a short backoff, or a log would have nothing in it.
    let window_s = drawn.known.map_or(600, |known| u64::from(known.window_s));
    let scale = if window_s < 600 { 10 } else { 1 };
    let (run_s, backoff_s) = (QUEUE_RUN_S / scale, BACKOFF_MIN_S / scale);
    let (mut rests_until, mut next_id, mut owed) = (0, 1, 0.0);
    // So many a second go over one or several connections.
    let pace = 1 + chance.below(8) as usize;
    for second in 0..drawn.span_s {
        let now = BEGIN_S + second;
        if second % (drawn.wave_s + drawn.pause_s) < drawn.wave_s && queue.len() < QUEUE_MAX {
            owed += drawn.rate * 2.0 * chance.share();
        }
        while owed >= 1.0 {
            owed -= 1.0;
            queue.push(Waiting { id: next_id, arrived_s: now, due_s: now });
            next_id += 1;
        }
        if now < rests_until || queue.is_empty() {
            continue;
        }
        // What has waited comes with the queue manager's next run.
        let is_run = second % run_s == 0;
        let mut sent = 0;
        let mut place = 0;
        while place < queue.len() && sent < pace {
            let one = &mut queue[place];
            if one.due_s > now || (one.due_s != one.arrived_s && !is_run && one.due_s + 5 < now) {
                place += 1;
                continue;
            }
            sent += 1;
            let to = Addressee { number: one.id, known: true };
            let answer = receiver.dispatch(Ms(second * 1000), Source(0), None, to);
            if let Some(conn) = answer.conn {
                receiver.close(Ms(second * 1000 + 500), conn);
            }
            let taken = answer.reply.code().is_success();
            write(&mut log, now, one, &answer.reply.to_string(), taken);
            if taken {
                queue.remove(place);
                continue;
            }
            let age = now - one.arrived_s;
            one.due_s = now + age.clamp(backoff_s, BACKOFF_MAX_S / scale);
            place += 1;
            if answer.reply.code().number() == 421 && chance.below(3) > 0 {
                rests_until = now + backoff_s / 5;
                break;
            }
        }
    }
    log
}

fn write(log: &mut String, now: u64, one: &Waiting, reply: &str, taken: bool) {
    let delay = now - one.arrived_s;
    let (days, of_day) = (now / 86_400, now % 86_400);
    // Days since 1970-01-01, counted on from the day of the beginning.
    let day = days - BEGIN_S / 86_400;
    let (month, day) = day_of_march(day);
    let (status, why) = if taken {
        ("sent", format!("({reply})"))
    } else {
        ("deferred", format!("(host mx-ha03.web.de[192.0.2.11] refused to talk to me: {reply})"))
    };
    let _ = writeln!(
        log,
        "2026-{month:02}-{day:02}T{:02}:{:02}:{:02}Z out postfix/smtp[9]: 4F{:08X}: to=<u{}@web.de>, \
         relay=mx-ha03.web.de[192.0.2.11]:25, delay={delay}, delays={delay}/0/0/0, dsn=2.0.0, \
         status={status} {why}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        one.id,
        one.id
    );
}

/// Month and day so many days after 2 March.
fn day_of_march(after: u64) -> (u64, u64) {
    let mut day = 2 + after;
    for (month, length) in [(3, 31), (4, 30), (5, 31), (6, 30)] {
        if day <= length {
            return (month, day);
        }
        day -= length;
    }
    (7, day)
}
