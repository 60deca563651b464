//! `[[route]]`: where mail goes without looking at MX records.

use postlane_net::route::{Credentials, Password, Pattern, StaticRoute, Target, TargetLane};
use postlane_smtp::client::TlsPolicy;

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{SecretFile, spelled};

settings! {
    /// Where some mail goes without looking at MX records: one entry for each pattern. The most
    /// specific one holds, whatever the order: a domain, a domain above it, a provider, a sender,
    /// all.
    pub struct Route in "route" {
        /// Which mail.
        pattern: Pattern = required();
        /// Where to. `mx:` before a domain looks at that domain's MX records.
        to: Target = required();
        /// As `delivery.tls`, for this host. Beats what a domain's or a provider's entry says.
        tls: Option<TlsPolicy> = optional();
        /// The user to authenticate as.
        user: Option<Box<str>> = optional();
        /// The file with the user's password in its first line.
        password_file: Option<SecretFile> = optional();
        /// The environment variable with the user's password.
        password_env: Option<Box<str>> = optional();
        /// Whose lane its mail goes by. A host found by MX records (`mx:`) has its provider's.
        lane: RouteLane = default(RouteLane::Route);
    }
}

/// Whose limits count where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteLane {
    /// The host's.
    Route,
    /// Those of the recipients' providers.
    Provider,
}

spelled!(RouteLane {
    "route" => RouteLane::Route, "the host's own, `route:HOST:PORT`, or `route:USER@HOST:PORT` with a user: receivers see its address";
    "provider" => RouteLane::Provider, "those of the recipients' providers: the host hands everything on at once and says what they say";
});

impl Section for Route {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("pattern", self.pattern.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Pattern::Provider(id) = &self.pattern
            && let Some((cause, cure)) = super::provider_id::unknown(id)
        {
            fields.complain("pattern", cause, cure);
        }
        let written =
            ["password_file", "password_env"].iter().filter(|key| fields.has(key)).count();
        if written != usize::from(fields.has("user")) {
            let cause = "a user and one password belong together";
            let cure = "write `user` and either `password_file` or `password_env`, or neither";
            fields.complain("user", cause, cure);
        }
        if let Some(name) =
            self.password_env.as_ref().filter(|name| std::env::var_os(&***name).is_none())
        {
            let cause = format!("there is no environment variable {}", name.escape_debug());
            fields.complain("password_env", cause, "set it where Postlane is started");
        }
        let is_encrypted = self.tls.is_some_and(TlsPolicy::is_required);
        if self.user.is_some() && !is_encrypted && !fields.has("tls") {
            let cause = "the password is sent only where TLS is offered, and TLS is not required";
            fields.warn("user", cause, "set `route.tls` to \"required\" or \"implicit\"");
        }
    }
}

impl Route {
    /// The route as the router wants it.
    pub fn to_static(&self) -> StaticRoute {
        let file = self.password_file.as_ref().map(|file| Password::File(file.path().to_owned()));
        let password = file.or_else(|| self.password_env.clone().map(Password::Environment));
        let credentials = self.user.clone().zip(password);
        let credentials = credentials.map(|(user, password)| Credentials { user, password });
        let lane = match self.lane {
            RouteLane::Route => TargetLane::Route,
            RouteLane::Provider => TargetLane::Provider,
        };
        let target = Target { tls: self.tls, credentials, lane, ..self.to.clone() };
        StaticRoute { pattern: self.pattern.clone(), target }
    }
}
