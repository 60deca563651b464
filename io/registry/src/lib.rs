//! Who may ask, who is told, and who has changed what: one small file beside the queue.
//!
//! API tokens with their scopes and tenants, people who sign in and their sessions, webhooks with how
//! far each has been told, saved views, incidents, policies of recipients' domains, what lanes believed
//! over time, what block lists were asked, how mail stood before providers' gates, and the audit of
//! changes. It is no part of the mail: a relay whose registry is broken, locked or gone goes on sending,
//! and says so. It reads no clock for what it keeps: times are arguments.

mod asked;
mod audit;
mod belief;
mod database;
mod domain;
mod error;
mod gate;
mod incident;
mod listing;
mod registry;
mod role;
mod schema;
mod scope;
mod secret;
mod session;
mod tls;
mod token;
mod user;
mod view;
mod webhook;

pub use asked::KeptDay;
pub use audit::{Audit, AuditFilter, AuditRow};
pub use belief::{BELIEFS_MAX, KeptBelief, KeptLimit};
pub use database::Database;
pub use domain::{KeptDomain, KeptVersion, VERSIONS_MAX};
pub use error::RegistryError;
pub use gate::{GATES_MAX, GateStep, HELD_MAX, KeptGate, KeptHeld};
pub use incident::{IncidentStep, IncidentStepRow, KeptIncident, UntoldStep};
pub use listing::{KeptCell, LISTINGS_MAX, ListingFilter, ListingSpan, ListingStep};
pub use registry::Registry;
pub use role::Role;
pub use schema::SCHEMA_VERSION;
pub use scope::{Scope, Scopes};
pub use secret::{SecretHash, SecretText};
pub use session::{IDLE_MAX, SESSION_MAX, Session, SessionSeen};
pub use tls::{KeptStsPolicy, TlsTally, TlsTallyKey};
pub use token::{NewToken, Token};
pub use user::{NewUser, USERS_MAX, User};
pub use view::{SavedView, VIEWS_MAX};
pub use webhook::{Endpoint, NewWebhook, Secrets, Standing, WEBHOOKS_MAX, Webhook};
