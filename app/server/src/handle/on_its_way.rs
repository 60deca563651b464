//! Bodies that come by the API, counted with the mail that comes by SMTP (`limits.body_memory`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Handle;
use crate::intake::Intake;

/// What is in memory of one body. It counts until this is dropped.
pub struct OnItsWay {
    intake: Arc<Intake>,
    octets: AtomicU64,
    is_too_much: AtomicBool,
}

impl Handle {
    /// Begins to count a body, of which nothing has come yet.
    pub fn on_its_way(&self) -> OnItsWay {
        let intake = self.0.intake.clone();
        OnItsWay { intake, octets: AtomicU64::new(0), is_too_much: AtomicBool::new(false) }
    }
}

impl OnItsWay {
    /// Counts octets that have come. Whether there was room for them beside what else is on its way:
    /// one body alone always has it.
    pub fn comes(&self, octets: usize) -> bool {
        let others = self.intake.on_its_way.all();
        let others = others.saturating_sub(self.octets.load(Ordering::Relaxed));
        if others > self.intake.live.borrow().intake_octets_max {
            self.is_too_much.store(true, Ordering::Relaxed);
            return false;
        }
        self.octets.fetch_add(octets as u64, Ordering::Relaxed);
        self.intake.on_its_way.come(octets as u64);
        true
    }

    /// Whether some of it found no room.
    pub fn is_too_much(&self) -> bool {
        self.is_too_much.load(Ordering::Relaxed)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.intake.on_its_way.go(*self.octets.get_mut());
    }
}
