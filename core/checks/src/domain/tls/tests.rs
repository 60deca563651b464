//! What is said of hosts whose records name an authority (DANE-TA).

use rcgen::{
    BasicConstraints, Certificate as Made, CertificateParams, CertifiedIssuer, IsCa, KeyPair,
    date_time_ymd,
};

use super::*;

const HOST: &str = "mx.example.net";
const DOMAIN: &str = "example.com";

/// The first of June 2026.
const NOW: i64 = 1_780_272_000;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, until: i32) -> Made {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params.signed_by(&KeyPair::generate().unwrap(), authority).unwrap()
}

fn is_good(records: TlsaSet, chain: &[&[u8]]) -> Result<String, (String, bool)> {
    let chain = chain.iter().map(|octets| (*octets).into()).collect();
    let greeting = Greeting::Encrypted { chain, distrust: None, version: "TLSv1.3".into() };
    let names = [HOST, DOMAIN].map(|name| Name::parse(name).unwrap());
    judged(&records, (&names[0], &names[1], NOW), Some(&greeting))
}

/// RFC 7672 §3.2.2: the domain whose mail the host takes is a name that will do, too.
#[test]
fn a_named_authority_vouches_for_the_host_and_for_the_domain_whose_mail_it_takes() {
    let authority = authority();
    let association = authority.der().to_vec().into();
    let records = TlsaSet::of([TlsaRecord { usage: 2, selector: 0, matching: 0, association }]);
    for (name, until, good) in [
        (HOST, 2030, true),
        (DOMAIN, 2030, true),
        ("*.example.net", 2030, true),
        ("other.example.org", 2030, false),
        (HOST, 2026, false),
        (DOMAIN, 2026, false),
    ] {
        let own = certificate(&authority, name, until);
        for chain in [vec![&**own.der(), &**authority.der()], vec![&**own.der()]] {
            let said = is_good(records.clone(), &chain);
            assert_eq!(said.is_ok(), good, "{name} until {until}: {said:?}");
        }
    }
}
