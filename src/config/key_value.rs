//! Which key-value store: `storage.kv_url`, or what the variables name that hosting services set.
//!
//! A `kv_url` that says more than the default wins. Else the first of [`offers`] does, which are in the order of what
//! the stores can do; the others are told to be ignored.

use url::Url;

use super::{
    environment::{Environment, place},
    problems::{Problem, report},
    tree::{Node, Place},
};

const KEY: &str = "storage.kv_url";
const PATH: [&str; 2] = ["storage", "kv_url"];
/// In the file as it is shipped this is no choice.
const DEFAULT: &str = "memory://";

/// Address and token of a database at Upstash, as Vercel and as Upstash call them.
const UPSTASH: [[&str; 2]; 2] = [
    ["KV_REST_API_URL", "KV_REST_API_TOKEN"],
    ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"],
];
/// The namespace is what is meant for us alone; account and token may be there for other tools.
const NAMESPACE: [&str; 2] = ["CF_KV_NAMESPACE_ID", "CLOUDFLARE_KV_NAMESPACE_ID"];
const ACCOUNT: [&str; 2] = ["CF_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID"];
const TOKEN: [&str; 2] = ["CF_API_TOKEN", "CLOUDFLARE_API_TOKEN"];

/// A store that variables name.
struct Offer<'a> {
    variable: &'a str,
    /// For `storage.kv_url`; or what is wrong.
    url: Result<String, String>,
}

/// Puts the store of the environment in, unless another is set.
pub fn choose(tree: &mut Node, environment: &Environment, problems: &mut Vec<Problem>) {
    let mut offers = offers(environment).into_iter();
    let explicit = explicit(tree);
    let (url, because) = match explicit {
        Some((url, place)) => (url, format!("{KEY} is set ({place})")),
        None => {
            let Some(Offer { variable, url }) = offers.next() else {
                return;
            };
            let url = match url {
                Ok(url) => url,
                Err(wrong) => return report(problems, problem(Problem::error, variable, wrong)),
            };
            tree.insert(&PATH, Node::text(&url, place(variable)));
            (url, format!("{variable} comes first"))
        }
    };
    for Offer {
        variable,
        url: other,
    } in offers
    {
        if other.as_ref() != Ok(&url) {
            let message = format!("ignored, since {because}");
            report(problems, problem(Problem::warning, variable, message));
        }
    }
}

/// What is set as `storage.kv_url` itself, and where.
fn explicit(tree: &Node) -> Option<(String, Place)> {
    let node = tree.find(&PATH.map(str::to_owned))?;
    let text = node.as_text().unwrap_or_default();
    let shipped = text == DEFAULT && matches!(node.place, Place::File { .. });
    (!shipped).then(|| (text.to_owned(), node.place.clone()))
}

/// What the environment names, the most able first: Upstash, Redis, Cloudflare.
fn offers(environment: &Environment) -> Vec<Offer<'_>> {
    let upstash = UPSTASH
        .iter()
        .filter_map(|names| upstash(environment, names));
    let redis = environment
        .first_of(&["REDIS_URL"])
        .map(|(variable, url)| Offer {
            variable,
            url: Ok(url.to_owned()),
        });
    upstash
        .chain(redis)
        .chain(cloudflare(environment))
        .collect()
}

fn upstash<'a>(environment: &Environment, names: &[&'a str; 2]) -> Option<Offer<'a>> {
    let [address, token] = names.map(|name| environment.first_of(&[name]));
    let (variable, url) = match (address, token) {
        (None, None) => return None,
        (Some((variable, address)), Some((_, token))) => {
            let wrong = || format!("{variable} is no address such as https://NAME.upstash.io");
            (variable, upstash_url(&address, &token).ok_or_else(wrong))
        }
        (Some((variable, _)), None) => (variable, Err(missing(&names[1..]))),
        (None, Some((variable, _))) => (variable, Err(missing(&names[..1]))),
    };
    Some(Offer { variable, url })
}

fn upstash_url(address: &str, token: &str) -> Option<String> {
    let address = Url::parse(address).ok()?;
    let tls = match address.scheme() {
        "https" => "",
        "http" => "?tls=false",
        _ => return None,
    };
    let host = address.host_str()?;
    let port = address.port().map(|port| format!(":{port}"));
    let place = format!("{host}{}{}", port.unwrap_or_default(), address.path());
    let mut url = Url::parse(&format!("upstash://{place}{tls}")).ok()?;
    url.set_password(Some(token)).ok()?;
    Some(url.into())
}

fn cloudflare(environment: &Environment) -> Option<Offer<'static>> {
    let (variable, namespace) = environment.first_of(&NAMESPACE)?;
    let account = environment.first_of(&ACCOUNT);
    let token = environment.first_of(&TOKEN);
    let url = match (account, token) {
        (Some((_, account)), Some((_, token))) => {
            let url = Url::parse(&format!("cloudflare://{account}/{namespace}"));
            let url = url.map(|mut url| {
                url.query_pairs_mut().append_pair("token", &token);
                url.into()
            });
            url.map_err(|_| "no URL can be made of account and namespace".to_owned())
        }
        (None, _) => Err(missing(&ACCOUNT)),
        (_, None) => Err(missing(&TOKEN)),
    };
    Some(Offer { variable, url })
}

fn missing(names: &[&str]) -> String {
    format!("{} is missing, which belongs to it", names.join(" or "))
}

fn problem(kind: fn(Place, &str, String) -> Problem, variable: &str, message: String) -> Problem {
    kind(place(variable), KEY, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KV: [(&str, &str); 2] = [
        ("KV_REST_API_URL", "https://h.upstash.io"),
        ("KV_REST_API_TOKEN", "hush+=="),
    ];
    const REDIS: (&str, &str) = ("REDIS_URL", "redis://:hush@r");
    const CF: [(&str, &str); 3] = [
        ("CF_ACCOUNT_ID", "0a1b"),
        ("CF_KV_NAMESPACE_ID", "c2d3"),
        ("CLOUDFLARE_API_TOKEN", "hush"),
    ];

    /// The URL that is chosen, and what is said of it.
    fn chosen(set: Option<&str>, variables: &[(&str, &str)]) -> (Option<String>, Vec<String>) {
        let mut tree = Node::table(Place::BuiltIn);
        if let Some(url) = set {
            let name = "t.toml".into();
            let place = Place::File {
                name,
                line: 2,
                column: 1,
            };
            tree.insert(&PATH, Node::text(url, place));
        }
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(pairs);
        environment.apply(&mut tree);
        let mut problems = Vec::new();
        choose(&mut tree, &environment, &mut problems);
        let node = tree.find(&PATH.map(str::to_owned));
        let said: Vec<_> = problems.iter().map(Problem::to_string).collect();
        assert!(said.iter().all(|text| !text.contains("hush")), "{said:?}");
        (node.and_then(Node::as_text).map(str::to_owned), said)
    }

    fn all() -> Vec<(&'static str, &'static str)> {
        KV.into_iter().chain([REDIS]).chain(CF).collect()
    }

    #[test]
    fn upstash_comes_before_redis_before_cloudflare_before_memory() {
        let mut variables = all();
        let (url, said) = chosen(Some(DEFAULT), &variables);
        assert_eq!(url.as_deref(), Some("upstash://:hush+%3D%3D@h.upstash.io/"));
        let ignored = [
            "environment variable REDIS_URL: warning: storage.kv_url: ignored, since KV_REST_API_URL comes first",
            "environment variable CF_KV_NAMESPACE_ID: warning: storage.kv_url: ignored, since KV_REST_API_URL comes \
             first",
        ];
        assert_eq!(said, ignored);
        variables.drain(..2);
        let (url, said) = chosen(None, &variables);
        assert_eq!((url.as_deref(), said.len()), (Some(REDIS.1), 1));
        variables.remove(0);
        let (url, said) = chosen(None, &variables);
        assert_eq!(url.as_deref(), Some("cloudflare://0a1b/c2d3?token=hush"));
        assert!(said.is_empty(), "{said:?}");
        assert_eq!(chosen(None, &variables[..1]), (None, Vec::new()));
    }

    #[test]
    fn every_url_that_is_made_is_understood() {
        use troupe_actors::storage::kv::KvUrl;
        for variables in [
            &all()[..],
            &CF,
            &[
                ("UPSTASH_REDIS_REST_URL", "http://localhost:8079"),
                ("UPSTASH_REDIS_REST_TOKEN", "hush"),
            ],
        ] {
            let (url, _) = chosen(None, variables);
            KvUrl::parse(&url.unwrap()).unwrap();
        }
    }

    #[test]
    fn what_is_set_wins_over_what_is_found() {
        let (url, said) = chosen(Some("redis://mine"), &all());
        assert_eq!(url.as_deref(), Some("redis://mine"));
        assert_eq!(said.len(), 3);
        assert!(said[0].ends_with("ignored, since storage.kv_url is set (t.toml:2:1)"));
        let ours = ("TROUPE__STORAGE__KV_URL", DEFAULT);
        let (url, said) = chosen(None, &[ours, REDIS]);
        assert_eq!((url.as_deref(), said.len()), (Some(DEFAULT), 1));
        assert!(chosen(Some(REDIS.1), &[REDIS]).1.is_empty(), "the same");
    }

    #[test]
    fn half_a_store_is_told() {
        let cases = [
            (KV[0], "KV_REST_API_TOKEN"),
            (KV[1], "KV_REST_API_URL"),
            (CF[1], "CF_ACCOUNT_ID"),
            (("KV_REST_API_URL", " "), ""),
        ];
        for (variable, missing) in cases {
            let (url, said) = chosen(None, &[variable]);
            assert_eq!((url, said.is_empty()), (None, missing.is_empty()));
            assert!(
                said.iter()
                    .all(|text| text.contains(": error: ") && text.contains(missing))
            );
        }
        let (_, said) = chosen(None, &[("KV_REST_API_URL", "h"), KV[1]]);
        assert!(said[0].contains("https://NAME.upstash.io"), "{said:?}");
    }
}
