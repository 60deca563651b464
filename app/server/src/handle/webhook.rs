//! Webhooks, for whoever may make them and look after them.

use std::sync::Arc;

use postlane_mail::{Instant, Label, Span};
use postlane_registry::{NewWebhook, RegistryError, Webhook};

use super::Handle;
use crate::telling::webhooks::{Around, Deliverer, Feed, Target, TargetError, Tested};

/// Why something could not be done with webhooks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoWebhook {
    /// There is nothing to tell them.
    #[error("this relay keeps no history, and webhooks are told from it: none can be made here")]
    NoHistory,
    /// The URL cannot be one.
    #[error("{0}")]
    Url(#[from] TargetError),
    /// There are no events of that kind.
    #[error("there are no events {name:?}: use {known}, or none for all")]
    Event {
        /// As it was said.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The registry could not do it.
    #[error("{0}")]
    Registry(#[from] RegistryError),
}

impl Handle {
    /// Begins to tell webhooks what happens; once.
    pub fn tell_webhooks(&self, feed: Arc<dyn Feed>) {
        self.0.webhooks.get_or_init(|| {
            let around = Around {
                clock: self.0.clock,
                live: self.0.live.clone(),
                registry: self.0.registry.clone(),
                journal: self.0.intake.journal.clone(),
                stop: self.0.stop.subscribe(),
            };
            Deliverer::begin(around, feed)
        });
    }

    /// All webhooks, by name.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, NoWebhook> {
        let endpoints = self.registry(|db| db.endpoints()).await?;
        Ok(endpoints.into_iter().map(|endpoint| endpoint.webhook).collect())
    }

    /// Makes a webhook that is told what happens from now on; with its secret.
    pub async fn add_webhook(&self, new: NewWebhook) -> Result<(Webhook, String), NoWebhook> {
        Target::parse(&new.url)?;
        let feed = self.deliverer()?.feed();
        let known = feed.kinds();
        if let Some(name) = new.events.iter().find(|event| !known.contains(&event.as_str())) {
            return Err(NoWebhook::Event { name: name.clone(), known: known.join(", ") });
        }
        let (place, now) = (feed.newest().kept(), self.now());
        Ok(self.registry(move |db| db.add_webhook(&new, &place, now)).await?)
    }

    /// Removes a webhook.
    pub async fn remove_webhook(&self, name: Label) -> Result<Webhook, NoWebhook> {
        Ok(self.registry(move |db| db.remove_webhook(&name)).await?)
    }

    /// Has a webhook told nothing until it is resumed.
    pub async fn pause_webhook(&self, name: Label, why: String) -> Result<Webhook, NoWebhook> {
        let now = self.now();
        Ok(self.registry(move |db| db.pause_webhook(&name, &why, now)).await?)
    }

    /// Has a webhook told again, from where it was, or what has happened since a moment.
    pub async fn resume_webhook(
        &self,
        name: Label,
        since: Option<Instant>,
    ) -> Result<Webhook, NoWebhook> {
        let deliverer = self.deliverer()?;
        let place = since.map(|since| deliverer.feed().before(since).kept());
        let resumed = self.registry(move |db| db.resume_webhook(&name, place.as_deref())).await?;
        deliverer.nudge();
        Ok(resumed)
    }

    /// Gives a webhook a new secret; its messages are signed with the old one, too, for so long.
    pub async fn rotate_webhook(
        &self,
        name: Label,
        overlap: Span,
    ) -> Result<(Webhook, String), NoWebhook> {
        let until = self.now() + overlap;
        Ok(self.registry(move |db| db.rotate_secret(&name, until)).await?)
    }

    /// Sends a webhook a message to try it.
    pub async fn try_webhook(&self, name: Label) -> Result<Tested, NoWebhook> {
        Ok(self.deliverer()?.test(name).await?)
    }

    fn deliverer(&self) -> Result<&Deliverer, NoWebhook> {
        self.0.webhooks.get().map(|deliverer| &**deliverer).ok_or(NoWebhook::NoHistory)
    }
}
