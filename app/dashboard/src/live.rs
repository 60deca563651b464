//! What changes on a page while somebody looks at it, as server-sent events.
//!
//! One stream for a page. Each part of it that can change has a name; a part is sent again when it
//! is drawn differently than it was sent last, and never otherwise.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use postlane_api::Problem;
use serde::Serialize;

use crate::desk::Desk;
use crate::patch::Patch;
use crate::session::Visit;
use crate::together::Page;

/// How often a page is drawn anew. Chosen, not measured: a person sees no delay, and a look at all
/// lanes takes about a millisecond.
const EVERY: Duration = Duration::from_secs(1);

/// A page hears something at least so often, so that what is between does not hang up, and that
/// somebody who was signed out hears no more.
const QUIET_MAX: u32 = 15;

/// A stream ends after this long, and the browser comes back: a page that nobody closes is asked
/// again who it is.
const STREAM_MAX: u32 = 600;

struct Looking<L> {
    desk: Desk,
    visit: Visit,
    /// What others see of it, too; none where each sees something of their own.
    page: Option<Page>,
    look: L,
    sent: BTreeMap<String, String>,
    ticks: tokio::time::Interval,
    looks: u32,
    quiet: u32,
}

/// A stream of what changes; `look` draws all parts of the page, of which none is somebody's own: of
/// those who look at the same address at the same time one draws it for all.
pub(crate) fn stream_together<F>(
    (desk, visit, address): (Desk, Visit, String),
    look: impl Fn(Desk, Visit) -> F + Send + Sync + 'static,
) -> Response
where
    F: Future<Output = Result<Vec<Patch>, Problem>> + Send,
{
    let page = Page::of(address, &visit);
    streamed(desk, visit, Some(page), look)
}

/// A stream of what changes; `look` draws all parts of the page.
pub(crate) fn stream<F>(
    desk: Desk,
    visit: Visit,
    look: impl Fn(Desk, Visit) -> F + Send + Sync + 'static,
) -> Response
where
    F: Future<Output = Result<Vec<Patch>, Problem>> + Send,
{
    streamed(desk, visit, None, look)
}

fn streamed<F>(
    desk: Desk,
    visit: Visit,
    page: Option<Page>,
    look: impl Fn(Desk, Visit) -> F + Send + Sync + 'static,
) -> Response
where
    F: Future<Output = Result<Vec<Patch>, Problem>> + Send,
{
    let ticks = tokio::time::interval(EVERY);
    let looking = Looking {
        desk,
        visit,
        page,
        look,
        sent: BTreeMap::new(),
        ticks,
        looks: 0,
        quiet: QUIET_MAX,
    };
    let events = stream::unfold(looking, |mut looking| async move {
        let event = looking.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(event)), looking))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // A proxy that gathers an answer before it hands it on would hand on nothing.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

impl<L, F> Looking<L>
where
    L: Fn(Desk, Visit) -> F,
    F: Future<Output = Result<Vec<Patch>, Problem>> + Send,
{
    async fn next(&mut self) -> Option<String> {
        loop {
            self.ticks.tick().await;
            self.looks += 1;
            if self.looks > STREAM_MAX || !self.is_signed_in().await {
                return None;
            }
            let look = (self.look)(self.desk.clone(), self.visit.clone());
            let patches = match &self.page {
                Some(page) => {
                    let now = std::time::Instant::now();
                    self.desk.together().look(page.clone(), now, look).await
                }
                None => look.await.map(Arc::from),
            };
            let event = match patches {
                Ok(patches) => self.changed(&patches),
                Err(problem) => told("trouble", &problem.detail),
            };
            if !event.is_empty() {
                self.quiet = 0;
                let now = crate::moments::exact(self.desk.now());
                return Some(told("clock", &now) + &event);
            }
            self.quiet += 1;
            if self.quiet >= QUIET_MAX {
                self.quiet = 0;
                return Some(": nothing new\n\n".to_owned());
            }
        }
    }

    /// Whoever was signed out, disabled or given another password sees no more.
    async fn is_signed_in(&self) -> bool {
        let (hash, now) = (self.visit.secret().hash(), self.desk.wall());
        let session = self.desk.registry(move |db| db.session(&hash, now)).await;
        match session {
            Ok(session) => session.is_some_and(|session| session.holds(now)),
            // A registry that is busy signs nobody out.
            Err(_) => true,
        }
    }

    fn changed(&mut self, patches: &[Patch]) -> String {
        let is_first = self.sent.is_empty();
        let parts: Vec<&str> = patches.iter().map(|patch| patch.part.as_str()).collect();
        let same = parts.len() == self.sent.len()
            && parts.iter().all(|part| self.sent.contains_key(*part));
        // Which parts there are: a page that has others loads itself again.
        let mut event = match same {
            true => String::new(),
            false => told("parts", &parts),
        };
        let mut sent = BTreeMap::new();
        for patch in patches {
            let is_new = self.sent.get(&patch.part) != Some(&patch.html);
            if is_first || is_new {
                event.push_str(&told("patch", patch));
            }
            sent.insert(patch.part.clone(), patch.html.clone());
        }
        self.sent = sent;
        event
    }
}

fn told(event: &str, value: &(impl Serialize + ?Sized)) -> String {
    format!("event: {event}\ndata: {}\n\n", serde_json::to_string(value).unwrap_or_default())
}
