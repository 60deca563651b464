//! The questions that routing mail asks of the DNS.

use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Domain, Family};

use super::answer::{Answer, DnsError, Mx};

/// The DNS, as far as mail needs it. Aliases (CNAME) are followed on the way to an answer.
///
/// [`super::Resolver`] asks name servers, [`super::Table`] looks into memory.
pub trait Dns: Send + Sync {
    /// The mail exchangers of a domain, in no order.
    fn mx(&self, domain: &Domain) -> impl Future<Output = Result<Answer<Mx>, DnsError>> + Send;

    /// The addresses of a host that are of this family, in the order of the answer.
    fn addresses(
        &self,
        host: &Domain,
        family: Family,
    ) -> impl Future<Output = Result<Answer<IpAddr>, DnsError>> + Send;
}

impl<D: Dns> Dns for Arc<D> {
    async fn mx(&self, domain: &Domain) -> Result<Answer<Mx>, DnsError> {
        self.as_ref().mx(domain).await
    }

    async fn addresses(&self, host: &Domain, family: Family) -> Result<Answer<IpAddr>, DnsError> {
        self.as_ref().addresses(host, family).await
    }
}
