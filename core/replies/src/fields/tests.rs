use super::*;

#[test]
fn no_kind_grows_beyond_its_limit() {
    let many: String = (1..100)
        .map(|n| format!("192.0.2.{n} https://a.example/{n} postmaster@m{n}.example IB{n:03} "))
        .collect();
    let fields = Fields::find(&many);
    assert_eq!(fields.ips.len(), Fields::MAX);
    assert_eq!(fields.urls.len(), Fields::MAX);
    assert_eq!(fields.contacts.len(), Fields::MAX);
    assert_eq!(fields.codes.len(), Fields::MAX);
}

#[test]
fn plain_prose_has_no_fields() {
    assert!(Fields::find("User unknown in virtual mailbox table").is_empty());
    assert!(Fields::find("").is_empty());
}

#[test]
fn what_only_looks_like_an_address_is_none() {
    for text in [
        "2.1.0.192.zen.example.org",
        "4.7.1",
        "127.0.0.2",
        "mail-192.0.2.1",
        "10:54:17",
        "a::b",
        "std::net",
        "temporarily deferred - 4.16.55.1; see",
        "255.255.255.0",
        "300.1.1.1",
    ] {
        assert_eq!(Fields::find(text).ips, [] as [IpAddr; 0], "{text}");
    }
}
