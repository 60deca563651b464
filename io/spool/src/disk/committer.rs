//! The committer: takes all that waits, writes it in one go, syncs once, and says so.

mod clean;

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use postlane_mail::{Place, QueueId};

use super::chores::{Chore, Chores};
use super::files::{RESERVE, segment_name};
use super::request::Request;
use super::shared::{Door, Shared, Until};
use super::volume::{Log, is_no_room};
use crate::error::StoreError;
use crate::format::{
    HEADER_OCTETS, Header, IndexHeader, SEGMENT_HEADER_OCTETS, SegmentHeader, Told, push_told, tell,
};
use crate::store::{Commits, Inserted, Seq};
use crate::ticket::Promise;
use clean::{Clean, LIVE_PERCENT_MAX};

/// What is written and may wait for its sync waits no longer than this.
const SYNC_WITHIN: Duration = Duration::from_millis(20);

/// The file system is asked for its free room no more often than this; what has found no room
/// is tried again as often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Octets that a segment may grow to while there is no room to begin the next: offsets have four
/// octets. On the way there outcomes alone are written.
const OPEN_OCTETS_MAX: u64 = 3 << 30;

/// A segment that is not at least this part of a full one is not closed before its time: a 64th
/// of 128 MiB are 2. Chosen, not measured.
const PART_WORTH_CLOSING: u64 = 64;

pub(super) struct Committer {
    shared: Arc<Shared>,
    commits: Box<dyn Commits>,
    chores: Option<Chores>,
    clean: Clean,
    open: OpenSegment,
    seq: u64,
    last_id: Option<QueueId>,
    /// Written and not synced since then.
    unsynced: Option<Instant>,
    /// The last number of a batch that is written and not synced.
    upto: Option<Seq>,
    /// Changes that have found no room; they go before everything else.
    held_back: Vec<Request>,
    looked: Option<Instant>,
    /// Written since then, in octets.
    since_look: u64,
    /// When there was last no room to begin the next segment; the open one grows meanwhile.
    no_next: Option<Instant>,
    /// Whether octets are kept aside.
    has_reserve: bool,
    /// What was last told of it.
    was_full: bool,
    has_ended: bool,
}

/// The segment that is written to.
pub(super) struct OpenSegment {
    pub(super) number: u32,
    epoch: u32,
    file: Arc<dyn Log>,
    octets: u64,
    /// Messages in it.
    messages: u32,
    /// What it tells, for its index.
    told: Vec<u8>,
}

/// A record's header, and where its body begins.
struct Staged {
    header: [u8; HEADER_OCTETS],
    ordinal: u32,
    offset: u32,
}

impl Committer {
    pub(super) fn new(
        shared: Arc<Shared>,
        commits: Box<dyn Commits>,
        chores: Chores,
        open: OpenSegment,
        (seq, last_id, has_reserve): (u64, Option<QueueId>, bool),
    ) -> Self {
        Self {
            shared,
            commits,
            chores: Some(chores),
            clean: Clean::default(),
            open,
            seq,
            last_id,
            unsynced: None,
            upto: None,
            held_back: Vec::new(),
            looked: None,
            since_look: 0,
            no_next: None,
            has_reserve,
            was_full: false,
            has_ended: false,
        }
    }

    /// These segments may be ready to be given back.
    pub(super) fn consider(&mut self, segments: impl Iterator<Item = u32>) {
        segments.for_each(|segment| self.clean.consider(segment));
    }

    pub(super) fn run(mut self) {
        loop {
            let (requests, door) = self.shared.take(self.until());
            let is_last = requests.is_empty() && door != Door::Open;
            let done = if is_last { self.end() } else { self.step(requests, Instant::now()) };
            if let Err(error) = done {
                self.fail(&error);
            }
            if is_last || self.has_ended {
                return;
            }
        }
    }

    /// Writes what waited, and does a step of whatever else is to be done.
    pub(super) fn step(&mut self, requests: Vec<Request>, now: Instant) -> Result<(), StoreError> {
        self.write(requests, now)?;
        if self.unsynced.is_some_and(|since| now.duration_since(since) >= SYNC_WITHIN) {
            self.sync_and_tell()?;
        }
        let is_due = |at: Instant| now.duration_since(at) >= LOOK_EVERY;
        let is_over = self.open.octets >= self.shared.settings.segment_octets;
        if is_over && self.no_next.is_none_or(is_due) {
            self.no_next = (!self.begin_next()?).then_some(now);
        }
        let has_filled = !self.shared.is_full() && self.since_look >= self.shared.headroom() / 2;
        if has_filled || self.looked.is_none_or(is_due) {
            self.look(now)?;
        }
        self.tell_whether_full();
        self.clean_a_little(now)
    }

    /// Asks how much room there is, and does what follows from it.
    fn look(&mut self, now: Instant) -> Result<(), StoreError> {
        (self.looked, self.since_look) = (Some(now), 0);
        self.shared.look_at_room();
        let reserve = self.shared.settings.reserve_octets;
        if self.no_next.is_some() {
            self.shared.found_full();
        } else if self.shared.is_full() {
            self.make_room()?;
        } else if !self.has_reserve && self.shared.headroom() / 4 >= reserve && reserve > 0 {
            self.has_reserve = true;
            if let Some(chores) = &mut self.chores {
                chores.give(Chore::Reserve(reserve));
            }
        }
        Ok(())
    }

    fn tell_whether_full(&mut self) {
        let is_full = self.shared.is_full();
        if std::mem::replace(&mut self.was_full, is_full) != is_full {
            self.commits.filled(is_full);
        }
    }

    /// Closes the open segment and begins the next; whether there was room for it. Where there is
    /// none, not even for a name, outcomes go on in the one that is open, and mail is refused.
    fn begin_next(&mut self) -> Result<bool, StoreError> {
        // Before there is a next one: only the last segment may end in what is not synced.
        self.sync_and_tell()?;
        let number = self.open.number + 1;
        let next = OpenSegment::begin(&self.shared, number, self.last_id, &mut self.has_reserve);
        let next = match next {
            Err(StoreError::Full(_)) if self.open.octets < OPEN_OCTETS_MAX => return Ok(false),
            next => next?,
        };
        self.seal();
        self.open = next;
        Ok(true)
    }

    /// The disk is full. Where the open segment holds next to nothing that lives, it is closed
    /// before its time, so that its room comes back and mail is taken again.
    fn make_room(&mut self) -> Result<(), StoreError> {
        let octets = self.open.octets;
        let live = self.shared.table.lock().segment(self.open.number).live_octets();
        let is_worth_it = live * 100 < octets * LIVE_PERCENT_MAX;
        if !is_worth_it || octets < self.shared.settings.segment_octets / PART_WORTH_CLOSING {
            return Ok(());
        }
        // Without room even for that the old one stays.
        self.begin_next().map(|_| ())
    }

    /// Closes what is open: the next start has an index to read, and no segment.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        let held_back = std::mem::take(&mut self.held_back);
        if !held_back.is_empty() {
            self.write(held_back, Instant::now())?;
        }
        if !self.held_back.is_empty() {
            return Err(StoreError::Full("what was delivered last is not written".to_owned()));
        }
        self.sync_and_tell()?;
        self.seal();
        self.shut(&StoreError::Closed);
        Ok(())
    }

    /// Nothing can be promised any more. Whoever waits hears that nobody knows: it must be
    /// called neither done nor not done.
    pub(super) fn fail(&mut self, error: &StoreError) {
        self.shut(&StoreError::Unknown(error.to_string()));
        self.commits.failed(error.clone());
    }

    fn shut(&mut self, answer: &StoreError) {
        self.has_ended = true;
        let waiting = self.shared.shut();
        waiting.into_iter().for_each(|request| request.answer(answer));
        if let Some(chores) = self.chores.take() {
            chores.finish();
        }
    }

    /// How long nothing needs to be done by itself.
    pub(super) fn until(&self) -> Until {
        let is_recovering = self.shared.recovering.load(Ordering::Acquire);
        if self.clean.has_work() && !is_recovering {
            return Until::Now;
        }
        let sync = self.unsynced.map(|since| since + SYNC_WITHIN);
        let looks_again = !self.held_back.is_empty() || is_recovering || self.shared.is_full();
        let again = looks_again.then(|| self.looked.unwrap_or_else(Instant::now) + LOOK_EVERY);
        match sync.into_iter().chain(again).min() {
            Some(then) => Until::Then(then),
            None => Until::Something,
        }
    }

    /// Writes requests, and syncs if one of them is urgent.
    pub(super) fn write(
        &mut self,
        mut requests: Vec<Request>,
        now: Instant,
    ) -> Result<(), StoreError> {
        if !self.held_back.is_empty() {
            let late = std::mem::replace(&mut self.held_back, requests);
            requests = late.into_iter().chain(std::mem::take(&mut self.held_back)).collect();
        }
        for request in &requests {
            if let Request::Refused(error) = request {
                return Err(error.clone());
            }
        }
        let Some(urgent) = requests.iter().map(Request::is_urgent).max() else { return Ok(()) };
        let staged = self.stage(&requests);
        if let Err(e) = append(&*self.open.file, &staged, &requests) {
            return self.not_written(requests, &e, now);
        }
        self.unsynced.get_or_insert(now);
        let octets = self.count(&requests);
        if urgent && let Err(error) = self.sync() {
            // Whether it is on disk nobody knows.
            requests.into_iter().for_each(|request| request.answer(&error));
            return Err(error);
        }
        self.shared.written(octets);
        self.tell(requests, &staged, urgent)
    }

    fn stage(&self, requests: &[Request]) -> Vec<Staged> {
        let (mut end, mut ordinal, mut seq) = (self.open.octets, self.open.messages, self.seq);
        let staged = requests.iter().filter_map(Request::record).map(|record| {
            seq += 1;
            let header = Header {
                kind: record.kind,
                octets: record.body.len() as u32,
                checked: record.checked,
                check: record.check,
                epoch: self.open.epoch,
                ordinal,
                seq,
            };
            let offset = end + HEADER_OCTETS as u64;
            let offset = u32::try_from(offset).expect("a segment is closed long before 4 GiB");
            let staged = Staged { header: header.encode(), ordinal, offset };
            end = u64::from(offset) + record.body.len() as u64;
            ordinal += record.messages;
            staged
        });
        staged.collect()
    }

    /// What was written is in the segment. Gives its octets, without headers.
    fn count(&mut self, requests: &[Request]) -> u64 {
        let octets: u64 = requests.iter().map(Request::octets).sum();
        let written = octets + (requests.len() * HEADER_OCTETS) as u64;
        self.open.octets += written;
        self.since_look += written;
        self.seq += requests.len() as u64;
        let records = requests.iter().filter_map(Request::record);
        self.open.messages += records.map(|record| record.messages).sum::<u32>();
        self.shared.tally.octets.fetch_add(written, Ordering::Relaxed);
        self.shared.tally.records.fetch_add(requests.len() as u64, Ordering::Relaxed);
        octets
    }

    /// It is on disk, or written if it may wait: the table and those who wait hear of it.
    fn tell(
        &mut self,
        requests: Vec<Request>,
        staged: &[Staged],
        is_synced: bool,
    ) -> Result<(), StoreError> {
        let mut inserted: Vec<Inserted> = Vec::new();
        let mut kept: Vec<(Promise, Place)> = Vec::with_capacity(requests.len());
        let mut table = self.shared.table.lock();
        for (request, staged) in requests.into_iter().zip(staged) {
            let record = request.record().expect("it has been written");
            let (number, mut places) = (self.open.number, Vec::new());
            let told = tell(record.kind, staged.ordinal, staged.offset, &record.body, |told| {
                if let Told::Message { head, .. } = &told {
                    self.last_id = self.last_id.max(Some(head.id));
                }
                places.extend(table.hear(number, &told));
                push_told(&told, &mut self.open.told);
            });
            told.map_err(|_| StoreError::Damaged("a record of our own".to_owned()))?;
            match request {
                Request::Message { news, promise, .. } => {
                    if let Some(place) = places.first().copied() {
                        inserted.push(news.at(place));
                        kept.push((promise, place));
                    }
                }
                Request::Changes { seq, news, .. } => {
                    self.upto = self.upto.max(Some(seq));
                    inserted.extend(news.into_iter().zip(places).map(|(news, at)| news.at(at)));
                }
                Request::Own { .. } | Request::Refused(_) => {}
            }
        }
        table.segment(self.open.number).octets = self.open.octets;
        drop(table);
        // First those who were promised, since they have waited longest.
        kept.into_iter().for_each(|(promise, place)| promise.keep(Ok(place)));
        if !inserted.is_empty() {
            self.commits.inserted(inserted);
        }
        if is_synced {
            self.tell_upto();
        }
        Ok(())
    }

    /// What was written of it is cut off again. If there was no room, mail is refused, and
    /// changes wait for some: delivering makes it.
    fn not_written(
        &mut self,
        requests: Vec<Request>,
        error: &io::Error,
        now: Instant,
    ) -> Result<(), StoreError> {
        if !is_no_room(error) || self.open.file.cut(self.open.octets).is_err() {
            let error = StoreError::Unknown(format!("write: {error}"));
            requests.into_iter().for_each(|request| request.answer(&error));
            return Err(error);
        }
        self.shared.found_full();
        self.looked = Some(now);
        let (mail, changes): (Vec<_>, Vec<_>) = requests.into_iter().partition(Request::is_mail);
        let error = StoreError::Full(error.to_string());
        let had_mail = !mail.is_empty();
        for request in mail {
            self.shared.written(request.octets());
            request.answer(&error);
        }
        // They may find room where they do not stand beside mail, or else in what was kept aside.
        let is_outcome = !changes.is_empty();
        if is_outcome && (had_mail || give_up_reserve(&self.shared, &mut self.has_reserve)) {
            return self.write(changes, now);
        }
        self.held_back = changes;
        Ok(())
    }

    fn sync_and_tell(&mut self) -> Result<(), StoreError> {
        if self.unsynced.is_some() {
            self.sync()?;
        }
        self.tell_upto();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.shared.tally.syncs.fetch_add(1, Ordering::Relaxed);
        self.unsynced = None;
        // Once it has failed the system may have forgotten what it had not written: asking
        // again and hearing yes would mean nothing.
        self.open.file.sync().map_err(|e| StoreError::Unknown(format!("fdatasync: {e}")))
    }

    fn tell_upto(&mut self) {
        if let Some(upto) = self.upto.take() {
            self.commits.committed(upto);
        }
    }

    /// The open segment is closed, and its index made beside what comes next.
    fn seal(&mut self) {
        let open = &mut self.open;
        let header = IndexHeader {
            segment: open.number,
            epoch: open.epoch,
            segment_octets: open.octets,
            messages: open.messages,
            seq: self.seq,
            last_id: self.last_id,
        };
        let told = std::mem::take(&mut open.told);
        let mut table = self.shared.table.lock();
        let room = table.segment(open.number);
        room.sealed = true;
        let ended = room.ended_bits();
        drop(table);
        self.clean.consider(open.number);
        if let Some(chores) = &mut self.chores {
            chores.give(Chore::Index { header, told, ended });
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        if !self.has_ended {
            self.fail(&StoreError::Unknown("the committer has stopped".to_owned()));
        }
    }
}

/// Gives up what was kept aside; whether there was anything.
fn give_up_reserve(shared: &Shared, has_reserve: &mut bool) -> bool {
    std::mem::take(has_reserve) && shared.volume.remove(RESERVE).is_ok()
}

impl OpenSegment {
    /// Makes a segment and its header; where there is no room, in what was kept aside.
    pub(super) fn begin(
        shared: &Shared,
        number: u32,
        last_id: Option<QueueId>,
        has_reserve: &mut bool,
    ) -> Result<Self, StoreError> {
        loop {
            let begun = Self::new(shared, number, last_id);
            if !matches!(begun, Err(StoreError::Full(_))) {
                return begun;
            }
            // What was begun of it goes, for good: the one before it is the last again.
            let is_gone = shared.volume.remove(&segment_name(number));
            is_gone.and_then(|()| shared.volume.sync_names()).map_err(|e| failed(number, &e))?;
            if !give_up_reserve(shared, has_reserve) {
                return begun;
            }
        }
    }

    fn new(shared: &Shared, number: u32, last_id: Option<QueueId>) -> Result<Self, StoreError> {
        let failed = |e: io::Error| failed(number, &e);
        let file = shared.volume.create(&segment_name(number)).map_err(failed)?;
        shared.volume.sync_names().map_err(failed)?;
        // Any number that the last file in these blocks is unlikely to have had.
        let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        let epoch = since.unwrap_or_default().as_micros() as u32 ^ number.rotate_left(16);
        let header = SegmentHeader { segment: number, epoch, last_id }.encode();
        let mut rest: &[u8] = &header;
        while !rest.is_empty() {
            let written = file.append(&[IoSlice::new(rest)]).map_err(failed)?;
            rest = rest.get(written..).filter(|_| written > 0).unwrap_or_default();
        }
        shared.files.add(number, file.clone());
        let octets = SEGMENT_HEADER_OCTETS as u64;
        shared.table.lock().segment(number).octets = octets;
        Ok(Self { number, epoch, file, octets, messages: 0, told: Vec::new() })
    }
}

fn failed(number: u32, error: &io::Error) -> StoreError {
    let says = format!("segment {number:08}: {error}");
    if is_no_room(error) { StoreError::Full(says) } else { StoreError::Io(says) }
}

/// Writes all records, as many at once as the system takes.
fn append(file: &dyn Log, staged: &[Staged], requests: &[Request]) -> io::Result<()> {
    /// Linux takes 1,024 (`IOV_MAX`).
    const AT_ONCE: usize = 1024;
    let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(staged.len() * 2);
    for (staged, record) in staged.iter().zip(requests.iter().filter_map(Request::record)) {
        slices.push(IoSlice::new(&staged.header));
        slices.push(IoSlice::new(&record.body));
    }
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match file.append(&rest[..rest.len().min(AT_ONCE)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
