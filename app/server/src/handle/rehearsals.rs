//! Rehearsals, for whoever asks: begun, looked at, ended.

use std::sync::Arc;

use postlane_mail::Label;

use super::Handle;
use crate::rehearsals::{NewRehearsal, NoRehearsal, Rehearsed};

impl Handle {
    /// Has something rehearsed; it waits for its turn.
    ///
    /// # Errors
    /// As many wait or run as may.
    pub fn rehearse(&self, asked: NewRehearsal) -> Result<Arc<Rehearsed>, NoRehearsal> {
        self.0.rehearsals.put(asked)
    }

    /// Rehearsals that a tenant sees, the youngest first; all for [`Label::NONE`].
    pub fn rehearsals(&self, tenant: &Label) -> Vec<Arc<Rehearsed>> {
        self.0.rehearsals.all(tenant)
    }

    /// One that a tenant sees.
    ///
    /// # Errors
    /// There is none of that number.
    pub fn rehearsal(&self, id: u64, tenant: &Label) -> Result<Arc<Rehearsed>, NoRehearsal> {
        self.0.rehearsals.find(id, tenant)
    }

    /// Stops one that waits or runs; one that is over is forgotten.
    ///
    /// # Errors
    /// There is none of that number.
    pub fn end_rehearsal(&self, id: u64, tenant: &Label) -> Result<Arc<Rehearsed>, NoRehearsal> {
        self.0.rehearsals.end(id, tenant)
    }
}
