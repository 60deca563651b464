//! What every page asks: the server, the API from inside, and who may sign in.

use std::sync::Arc;

use axum::extract::FromRef;
use postlane_api::{InnerApi, Problem, password};
use postlane_mail::Instant;
use postlane_registry::{Database, RegistryError};
use postlane_server::Clock;
use postlane_server::handle::Handle;
use tokio::sync::Semaphore;

use crate::assets::Assets;
use crate::replies::Replies;
use crate::session::Tries;
use crate::setup::SetupToken;
use crate::together::Together;

/// What every page asks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Known>);

struct Known {
    handle: Handle,
    api: InnerApi,
    assets: Arc<Assets>,
    tries: Tries,
    setup: SetupToken,
    replies: Replies,
    /// People's time: a server whose mail runs faster has sessions that last as long as ever.
    wall: Clock,
    hashing: Semaphore,
    together: Together,
}

/// Passwords that are held against at the same time: each takes 19 MiB. Chosen, not measured.
const HASHING_MAX: usize = 4;

impl Desk {
    pub(crate) fn new(handle: Handle, setup: SetupToken) -> Self {
        Self(Arc::new(Known {
            api: InnerApi::new(handle.clone()),
            handle,
            assets: Arc::new(Assets::built_in()),
            tries: Tries::default(),
            setup,
            replies: Replies::built_in(),
            wall: Clock::wall(),
            hashing: Semaphore::new(HASHING_MAX),
            together: Together::default(),
        }))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.0.handle
    }

    pub(crate) fn api(&self) -> &InnerApi {
        &self.0.api
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn tries(&self) -> &Tries {
        &self.0.tries
    }

    pub(crate) fn setup(&self) -> &SetupToken {
        &self.0.setup
    }

    pub(crate) fn replies(&self) -> &Replies {
        &self.0.replies
    }

    pub(crate) fn together(&self) -> &Together {
        &self.0.together
    }

    /// People's time.
    pub(crate) fn wall(&self) -> Instant {
        self.0.wall.now()
    }

    /// The server's time, as mail has it.
    pub(crate) fn now(&self) -> Instant {
        self.0.handle.now()
    }

    /// Has something done with the registry.
    pub(crate) async fn registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.0.handle.registry(work).await;
        done.map_err(|why| Problem::unavailable(why.to_string()))
    }

    /// Whether a password is the one that is kept.
    pub(crate) async fn agrees(&self, password: String, kept: String) -> bool {
        self.hashing(move || password::agrees(&password, &kept)).await.unwrap_or(false)
    }

    /// Hashes on a thread that may, a few at a time.
    pub(crate) async fn hashing<T: Send + 'static>(
        &self,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let closing = || Problem::unavailable("the server is closing");
        let _permit = self.0.hashing.acquire().await.map_err(|_| closing())?;
        tokio::task::spawn_blocking(hash).await.map_err(|_| closing())
    }
}

impl FromRef<Desk> for Arc<Assets> {
    fn from_ref(desk: &Desk) -> Self {
        Self::clone(&desk.0.assets)
    }
}
