//! Who says that the host is out of service: it may be so, or it puts off whom it does not know, or it
//! is a limit in those words.

use postlane_mail::Instant;

use super::{Controller, Heard, State};
use crate::decision::Decision;
use crate::rest::Rest;
use crate::signal::Hint;

impl Controller {
    pub(super) fn out_of_service(&mut self, now: Instant, heard: &Heard, hint: Hint) {
        self.contact.put_off(heard);
        if self.state == State::Canary {
            let is_news = self.rest.is_some_and(|rest| !rest.says_outage && rest.doubt.is_none());
            return if is_news {
                self.canary_unserved(now, heard)
            } else {
                self.refused(now, heard, hint)
            };
        }
        // Retries pass, and nothing else does: that is first contact, whatever it is called.
        if self.contact.puts_off() {
            return self.greylisted(now, heard);
        }
        self.refused(now, heard, hint);
    }

    /// The lane rests for a limit, and its canary finds nobody there: that is no answer.
    fn canary_unserved(&mut self, now: Instant, heard: &Heard) {
        self.count(heard);
        let Some(rest) = self.rest else { return };
        let since = rest.unserved.unwrap_or(heard.sent);
        self.rest = Some(Rest { unserved: Some(since), asks: None, ..rest });
        let asked = Rest { unserved: Some(since), tried: heard.sent, ..rest };
        let until = self.next_canary(now).max(heard.sent + asked.outage_wait());
        self.state = State::Cooling { until };
        self.decide(now, Decision::Unserved { until });
    }
}
