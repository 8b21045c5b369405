use super::*;

const KEYS: &str = "AKLTEXAMPLE0000000000000000000001|U2VjcmV0S2V5RXhhbXBsZTAwMDAwMDAwMDAwMDAwMDE=";
const VISUAL: &str = "https://visual.volcengineapi.com/?Version=2022-08-31&Action=";

/// A request, what it is signed with, and what comes of it.
struct Vector {
    method: &'static str,
    url: String,
    content_type: &'static str,
    body: &'static str,
    region: &'static str,
    service: &'static str,
    date: &'static str,
    token: &'static str,
    body_sha: &'static str,
    canonical_sha: &'static str,
    signature: &'static str,
}

fn vectors() -> [Vector; 4] {
    let visual = |action: &str| Vector {
        method: "POST",
        url: format!("{VISUAL}{action}"),
        content_type: "application/json",
        body: "",
        region: "cn-north-1",
        service: "cv",
        date: "2024-01-01T12:00:00Z",
        token: "",
        body_sha: "",
        canonical_sha: "",
        signature: "",
    };
    [
        Vector {
            body: r#"{"req_key":"high_aes_general_v21_L","prompt":"a red apple","seed":-1,"return_url":true}"#,
            body_sha: "911bb357d7015186ebc4a3234c60678ac965dba50777de205616365fa2d81d16",
            canonical_sha: "d3397ea977decf02bfad4f6c459d0457a010d45dcf7aed470481c17da93cdc28",
            signature: "a6bd7a2938258d63049da3af3854b932fd42da6ec03bd414944645b762fd0299",
            ..visual("CVProcess")
        },
        Vector {
            body: r#"{"req_key":"jimeng_t2i_v40","task_id":"1234567890","req_json":"{\"return_url\":true}"}"#,
            body_sha: "fc046a84b3a06331f8dec58cc9bcecdb086c0ec7c53b1b4d36d8de3566732ebb",
            canonical_sha: "7b8d0b8a7d07ad040f47e843e30e643557d5d83a15857ff9e774260884f0a56f",
            signature: "419bb6192127f97b45de41b9f2f533fb4c52654e811121704d9fca501b9af7d3",
            ..visual("CVSync2AsyncGetResult")
        },
        Vector {
            body: r#"{"req_key":"jimeng_t2i_v40","prompt":"一只猫"}"#,
            date: "2024-02-29T23:59:59Z",
            token: "|STSEXAMPLETOKEN==",
            body_sha: "bd3d463a0f82af44b7c9709777ef246cc1ebc9fb04e116d28d1fda308d076fcb",
            canonical_sha: "2a386345c60b150ce11fc4368bf3ea945839269bbe00d05147c9fff1d36c7205",
            signature: "161b2ef94cb23b29bde73a02d1c0ff61d038451cf704a0b719ac379a4a096d35",
            ..visual("CVSync2AsyncSubmitTask")
        },
        Vector {
            method: "GET",
            url: "https://open.volcengineapi.com:443?Version=2018-01-01&Limit=10\
                &Filter=a+b*~%2F%E4%B8%AD&Action=ListUsers"
                .to_owned(),
            content_type: "application/x-www-form-urlencoded",
            region: "cn-beijing",
            service: "iam",
            body_sha: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            canonical_sha: "00f9d0942cb4f45529fca5468b94e558a9ef18db3bc1fffe104811134bb63432",
            signature: "fab5e2f168eb58a4c3f9ffc97cb6c4b602a41613ddca8e549961417a0b2bac21",
            ..visual("")
        },
    ]
}

#[test]
fn the_four_vectors() {
    for vector in vectors() {
        let now: DateTime<Utc> = vector.date.parse().unwrap();
        let text = format!("{KEYS}{}", vector.token);
        let credential = Credential::parse(&text).unwrap();
        // in two pieces, as a body with a file in it is hashed
        let (start, end) = vector.body.split_at(vector.body.len() / 2 / 8 * 8);
        let request = ToSign {
            method: vector.method,
            url: &vector.url,
            content_type: vector.content_type,
            body_sha256: hash([start.as_bytes(), end.as_bytes()]),
            region: vector.region,
            service: vector.service,
        };
        assert_eq!(hex(&request.body_sha256), vector.body_sha);
        let date = now.format("%Y%m%dT%H%M%SZ").to_string();
        let signed = signed_headers(&request, &credential, &date);
        let canonical = canonical(&request, &signed);
        assert_eq!(
            hex(&hash([canonical.as_bytes()])),
            vector.canonical_sha,
            "{canonical}"
        );
        let headers = sign(&request, &credential, now.into());
        let (name, authorization) = headers.last().unwrap();
        assert_eq!(*name, "authorization");
        let end = format!("Signature={}", vector.signature);
        assert!(authorization.ends_with(&end), "{authorization}");
    }
}

#[test]
fn the_key_step_by_step() {
    let (_, secret) = KEYS.split_once('|').unwrap();
    let scope = ["20240101", "cn-north-1", "cv", "request"];
    for (words, key) in [
        (
            1,
            "cb4ad1ec243bbf3f5c9a1a151cd4334e34c7a4335c76b84b38de2d52ba02f5e0",
        ),
        (
            2,
            "da394324c982220f3300bcd6e796a145a670c799f8960831b0e99f0f465bd994",
        ),
        (
            3,
            "319a4d029be5b66eba21f49625af056dbbc8dc961e388c78ff933817089ee17d",
        ),
        (
            4,
            "eda8161355db9abbe6bac0bbb127d60dfcb87dfc94c516180491762bc6769056",
        ),
    ] {
        assert_eq!(hex(&signing_key(secret, &scope[..words])), key);
    }
    for (date, region, service, key) in [
        (
            "20240229",
            "cn-north-1",
            "cv",
            "97ac7593333199bb7709b84a8ac1d27e0f64c47c122284e6e515aa02dad86ede",
        ),
        (
            "20240101",
            "cn-beijing",
            "iam",
            "4060d8db158820d9ddfa780b22308cf7afca41dc551a3fd169915947c76a617c",
        ),
    ] {
        let scope = [date, region, service, "request"];
        assert_eq!(hex(&signing_key(secret, &scope)), key);
    }
}

#[test]
fn the_canonical_form_and_the_headers() {
    let [first, _, temporary, encoded] = vectors();
    let credential = Credential::parse(KEYS).unwrap();
    let request = |vector: &Vector, url: &'static str| ToSign {
        method: "POST",
        url,
        content_type: "application/json",
        body_sha256: hash([vector.body.as_bytes()]),
        region: "cn-north-1",
        service: "cv",
    };
    let url = "http://127.0.0.1:8080/volc/?Action=CVProcess&Version=2022-08-31";
    let request = request(&first, url);
    let signed = signed_headers(&request, &credential, "20240101T120000Z");
    assert_eq!(
        canonical(&request, &signed),
        "POST\n/volc/\nAction=CVProcess&Version=2022-08-31\ncontent-type:application/json\n\
         host:127.0.0.1:8080\n\
         x-content-sha256:911bb357d7015186ebc4a3234c60678ac965dba50777de205616365fa2d81d16\n\
         x-date:20240101T120000Z\n\ncontent-type;host;x-content-sha256;x-date\n\
         911bb357d7015186ebc4a3234c60678ac965dba50777de205616365fa2d81d16"
    );
    let (_, _, query) = parts(&encoded.url);
    assert_eq!(
        canonical_query(query),
        "Action=ListUsers&Filter=a%20b%2A~%2F%E4%B8%AD&Limit=10&Version=2018-01-01"
    );
    assert_eq!(canonical_query("b=100%&a&=%zz%4"), "=%25zz%254&a=&b=100%25");
    let now: DateTime<Utc> = temporary.date.parse().unwrap();
    let text = format!("{KEYS}{}", temporary.token);
    let credential = Credential::parse(&text).unwrap();
    let headers = sign(&request, &credential, now.into());
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let expected = [
        "x-content-sha256",
        "x-date",
        "x-security-token",
        "authorization",
    ];
    assert_eq!(names, expected);
    assert_eq!(headers[1].1, "20240229T235959Z");
    let begins = "HMAC-SHA256 Credential=AKLTEXAMPLE0000000000000000000001/20240229/cn-north-1/cv/request, \
        SignedHeaders=content-type;host;x-content-sha256;x-date;x-security-token, Signature=";
    assert!(headers[3].1.starts_with(begins), "{}", headers[3].1);
}

#[test]
fn credentials_are_read_and_not_shown() {
    for text in ["", "AK", "AK|", "|SK", "AK|SK|", "AK|SK|T|X", "|"] {
        assert_eq!(Credential::parse(text), Err(NotACredential), "{text}");
    }
    let credential = Credential::parse(" AK | SK== |T").unwrap();
    assert_eq!(credential.secret_key, "SK==");
    assert_eq!(format!("{credential:?}"), "Credential(…)");
}
