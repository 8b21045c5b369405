//! What the text of a URL tells already.

use super::*;

#[test]
fn urls_that_are_refused_as_they_stand() {
    let not_public = [
        "http://localhost/",
        "http://LOCALHOST:8080/x",
        "https://a.localhost/",
        "http://localhost.localdomain/",
        "http://printer.local/",
        "http://local/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://router.home.arpa/",
        "http://example.com./",
        "http://localhost./",
        "http://127.0.0.1./",
        "http://127.0.0.1/",
        "http://127.8.9.1:80/",
        "http://0.0.0.0/",
        "http://0/",
        "http://10.1.2.3/",
        "http://172.31.0.1/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        // decimal, octal, hex, short, full-width, percent-encoded
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://127.0.1/",
        "http://3232235777/",
        "http://2852039166/",
        "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        "http://127\u{3002}0\u{3002}0\u{3002}1/",
        "http://%31%32%37.0.0.1/",
        "http://\u{2460}27.0.0.1/",
        // public, but nobody writes so
        "http://134744072/",
        "http://8.8.2056/",
        "http://0x8.8.8.8/",
        "http://010.8.8.8/",
        "http:8.8.8.8/",
        "http:/8.8.8.8/",
        "http:\\\\8.8.8.8/",
        "http://8.8.8.8./",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/latest/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://[fec0::1]/",
        "http://127.0.0.1\\@example.com/",
    ];
    let guard = with(|_| {});
    for url in not_public {
        let refused = guard.check(url).unwrap_err();
        assert!(
            matches!(refused, EgressError::NotPublic { .. }),
            "{url}: {refused:?}"
        );
        assert!(refused.is_refusal());
    }
    for url in [
        "http://example.com@127.0.0.1/",
        "http://user@example.com/",
        "http://:pw@example.com/",
        "https://user:pw@example.com/",
        "http://127.0.0.1%00@example.com/",
    ] {
        let refused = guard.check(url).unwrap_err();
        assert!(
            matches!(refused, EgressError::Credentials { .. }),
            "{url}: {refused:?}"
        );
        assert!(!refused.to_string().contains("pw"), "{refused}");
    }
    for url in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:,x",
        "unix:/run/x",
        "javascript:1",
        "dict://127.0.0.1:11211/",
    ] {
        assert_eq!(guard.check(url), Err(EgressError::Scheme), "{url}");
    }
    let long = format!("http://example.com/{}", "x".repeat(9_000));
    for url in [
        "",
        "example.com",
        "//example.com/",
        "/x",
        "http://",
        "http://?x",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://example.com:99999/",
        "http://a b/",
        "http://exa\nmple.com/",
        "http://example.com/\r\nhost: x",
        "http://example.com/\u{0}",
        "http://127.0.0.1.5.6/",
        "http://256.1.1.1/",
        "http://exa%20mple.com/",
        &long,
    ] {
        assert_eq!(guard.check(url), Err(EgressError::Syntax), "{url}");
    }
}

#[test]
fn urls_that_are_opened_as_far_as_their_text_tells() {
    let guard = with(|_| {});
    for url in [
        "http://example.com",
        "https://example.com/a.png?x=1&y=%20#part",
        "HTTPS://EXAMPLE.com/",
        "http://example.com:8080/",
        "https://8.8.8.8/",
        "http://8.8.8.8:81/x",
        "http://1.1.1.1?x",
        "https://[2606:4700:4700::1111]/",
        "http://[::ffff:8.8.8.8]/",
        "https://b\u{fc}cher.example/",
        "https://example.com/@127.0.0.1/",
        "https://example.com/?u=http://127.0.0.1/",
        "http://example.com#@127.0.0.1/",
        "http://notlocalhost/",
        "http://internal.example.org/",
        "http://local.example.org/",
        "https://127.0.0.1.example.org/",
    ] {
        assert_eq!(guard.check(url), Ok(()), "{url}");
    }
}

#[test]
fn what_the_operator_allows() {
    let guard = with(|config| config.ports = vec![80, 443]);
    assert_eq!(guard.check("https://example.com/"), Ok(()));
    let refused = guard.check("https://example.com:8443/").unwrap_err();
    assert!(matches!(refused, EgressError::Port { port: 8443, .. }));

    let private = with(|config| config.allow_private = true);
    for url in [
        "http://127.0.0.1/",
        "http://localhost:1/",
        "http://[::1]/",
        "http://minio.internal/",
    ] {
        assert_eq!(private.check(url), Ok(()), "{url}");
    }
    for url in [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
    ] {
        assert!(private.check(url).is_err(), "{url}");
    }

    let hosts = ["127.0.0.1:9000", "Files.lan", "[::1]:9000"].map(str::to_owned);
    let listed = with(|config| {
        config.allow_hosts = hosts.into();
        config.ports = vec![443];
    });
    for url in [
        "http://127.0.0.1:9000/x",
        "http://files.lan/",
        "https://FILES.lan:7/",
        "http://[::1]:9000/",
    ] {
        assert_eq!(listed.check(url), Ok(()), "{url}");
    }
    for url in [
        "http://127.0.0.1:9001/x",
        "http://127.0.0.2:9000/",
        "http://x.files.lan/",
        "http://[::1]/",
        "ftp://files.lan/",
        "http://a@files.lan/",
    ] {
        assert!(listed.check(url).is_err(), "{url}");
    }
    for bad in ["", "a b", "http://x", "x:y", "x:99999", "::1"] {
        assert_eq!(Exempt::parse(bad), None, "{bad}");
    }
}

#[test]
fn trust_in_an_upstream_is_for_its_host_and_port() {
    let clients = with(|_| {});
    let results = clients.trusting(Exempt::of_url("http://127.0.0.1:9100/v1"));
    assert_eq!(results.check("http://127.0.0.1:9100/files/1.png"), Ok(()));
    assert!(results.check("http://127.0.0.1:9101/").is_err());
    assert!(clients.check("http://127.0.0.1:9100/files/1.png").is_err());
}
