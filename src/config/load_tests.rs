use super::*;

fn from_file(text: &str) -> Loaded {
    load(Sources {
        file: Some(("config.toml".to_owned(), text.to_owned())),
        ..Sources::default()
    })
}

fn with_environment(text: &str, pairs: &[(&str, &str)]) -> Loaded {
    load(Sources {
        file: Some(("config.toml".to_owned(), text.to_owned())),
        environment: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        flags: Vec::new(),
    })
}

fn shown(loaded: &Loaded) -> Vec<String> {
    loaded.problems.iter().map(ToString::to_string).collect()
}

const ACME: &str = r#"
[[provider]]
name = "acme"
kind = "openai"
base_url = "http://127.0.0.1:9100/v1"
"#;

#[test]
fn nothing_at_all_is_the_defaults_and_the_demo() {
    let loaded = load(Sources::default());
    assert_eq!(shown(&loaded), Vec::<String>::new());
    assert_eq!(loaded.config.server.listen, "127.0.0.1:8080");
    let [demo] = loaded.config.providers.as_slice() else {
        panic!("{:?}", loaded.config.providers);
    };
    assert_eq!((demo.name.as_str(), demo.kind.as_str()), ("demo", "demo"));
}

#[test]
fn command_line_wins_over_environment_wins_over_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nworkers = 1\n[log]\nlevel = \"warn\"\n";
    let loaded = load(Sources {
        file: Some(("config.toml".to_owned(), text.to_owned())),
        environment: vec![
            (
                "TROUPE__SERVER__LISTEN".to_owned(),
                "127.0.0.1:2".to_owned(),
            ),
            ("TROUPE__SERVER__WORKERS".to_owned(), "2".to_owned()),
        ],
        flags: vec![("--listen", ["server", "listen"], "127.0.0.1:3".to_owned())],
    });
    assert_eq!(shown(&loaded), Vec::<String>::new());
    assert_eq!(loaded.config.server.listen, "127.0.0.1:3");
    assert_eq!(loaded.config.server.workers, 2);
    assert_eq!(loaded.config.log.level, crate::config::LogLevel::Warn);
}

#[test]
fn the_environment_takes_the_type_of_the_key() {
    let loaded = with_environment(
        "",
        &[
            ("TROUPE__SUPERVISION__FAULT_INJECTION", "true"),
            ("TROUPE__POOL__JITTER", "0.5"),
            ("TROUPE__POOL__STRATEGY", "least_busy"),
            ("TROUPE__CALLS__FLUSH_MS", "50"),
            (
                "TROUPE__SERVER__CORS_ORIGINS",
                "https://a.example, https://b.example",
            ),
            (
                "TROUPE__PROVIDER",
                r#"[{ name = "n", kind = "openai", base_url = "http://h/v1" }]"#,
            ),
        ],
    );
    assert!(!loaded.has_errors(), "{:?}", shown(&loaded));
    let config = loaded.config;
    assert!(config.supervision.fault_injection);
    assert_eq!(config.pool.jitter, 0.5);
    assert_eq!(config.calls.flush_ms, 50);
    assert_eq!(
        config.server.cors_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(config.providers[0].name, "n");
}

#[test]
fn all_problems_are_told_at_once_with_line_and_nearest_key() {
    let text = r#"
[server]
listn = "127.0.0.1:80"
workers = "four"
kv_url = "memory://"

[log]
level = "loud"

[[provider]]
name = "Bad Name"
kind = "opnai"
modles = ["a"]

[[provider]]
kind = "openai"
tokens = "sk-very-secret"

[[provider]]
name = "c"
kind = "openai"
models = [{ id = "x", upstraem = "y" }]
timeouts = { idle_ms = -1 }
"#;
    let loaded = from_file(text);
    // the list of kinds grows with every provider that is added
    let (kind, others): (Vec<_>, Vec<_>) = shown(&loaded)
        .into_iter()
        .partition(|line| line.contains("`opnai`"));
    let told = "config.toml:12:1: error: provider[Bad Name].kind: `opnai` is none of openai, ";
    assert!(kind.len() == 1 && kind[0].starts_with(told), "{kind:?}");
    assert!(kind[0].ends_with("; the nearest is `openai`"), "{kind:?}");
    assert_eq!(
        others,
        [
            "config.toml:3:1: error: server.listn: unknown key; the nearest known key is `listen`",
            "config.toml:4:1: error: server.workers: expected a whole number, 0 or more, found text",
            "config.toml:5:1: error: server.kv_url: unknown key here; it belongs in [storage]",
            "config.toml:8:1: error: log.level: `loud` is none of off, error, warn, info, debug, trace; \
             the nearest is `off`",
            "config.toml:11:1: error: provider[Bad Name].name: must be lower-case letters, digits, - and _, \
             and start with a letter or digit",
            "config.toml:13:1: error: provider[Bad Name].modles: unknown key; \
             the nearest known key is `models`",
            "config.toml:15:1: error: provider[1].name: missing",
            "config.toml:17:1: error: provider[1].tokens: expected a list, found text",
            "config.toml:19:1: error: provider[c].base_url: missing; \
             give the URL with its version prefix, or name a preset",
            "config.toml:22:23: error: provider[c].models[0].upstraem: unknown key; \
             the nearest known key is `upstream`",
            "config.toml:23:14: error: provider[c].timeouts.idle_ms: \
             expected a whole number, 0 or more, found -1",
        ]
    );
}

#[test]
fn problems_of_the_environment_name_the_variable() {
    let loaded = with_environment(
        "",
        &[
            ("TROUPE__SERVER__WORKERS", "many"),
            ("TROUPE__SERVR__LISTEN", "x"),
        ],
    );
    assert_eq!(
        shown(&loaded),
        [
            "environment variable TROUPE__SERVER__WORKERS: error: server.workers: \
             expected a whole number, 0 or more, found text",
            "environment variable TROUPE__SERVR__LISTEN: error: servr: \
             unknown key; the nearest known key is `server`",
        ]
    );
}

#[test]
fn what_the_environment_puts_over_a_list_is_told_there() {
    let loaded = with_environment(ACME, &[("TROUPE__PROVIDER__ACME__KIND", "demo")]);
    assert_eq!(
        shown(&loaded),
        [
            "environment variable TROUPE__PROVIDER__ACME__KIND: error: provider: \
          expected a list, found a table"
        ]
    );
}

#[test]
fn meanings_are_checked_and_no_secret_is_shown() {
    let text = r#"
[server]
listen = "localhost"
cors_origins = ["*", "https://a.example/path"]
[storage]
database_url = "mysql://u:hunter2@h/db"
kv_url = "redis://"
[pool]
jitter = 1.5
[timeouts]
total_ms = 1000
idle_ms = 2000
[[provider]]
name = "a"
kind = "openai"
base_url = "ftp://h/v1"
tokens = ["sk-hunter2", "sk-hunter2", "sk hunter2", ""]
models = ["m", { id = "m" }, ""]
default = true
pool = { strategy = "random" }
[[provider]]
name = "a"
preset = "opnai"
default = true
"#;
    let shown = shown(&from_file(text));
    for expected in [
        "config.toml:3:1: error: server.listen: expected an address",
        "config.toml:4:22: error: server.cors_origins[1]: ",
        "config.toml:6:1: error: storage.database_url: has the unknown scheme `mysql`",
        "config.toml:7:1: error: storage.kv_url: ",
        "config.toml:9:1: error: pool.jitter: must be from 0 to 1, is 1.5",
        "config.toml:12:1: warning: timeouts.idle_ms: never takes effect",
        "config.toml:16:1: error: provider[a].base_url: starts with ftp:",
        "config.toml:17:25: warning: provider[a].tokens[1]: the same as tokens[0]",
        "config.toml:17:39: error: provider[a].tokens[2]: holds a space",
        "config.toml:17:53: error: provider[a].tokens[3]: must not be empty",
        "config.toml:18:16: warning: provider[a].models[1]: the same id as models[0]",
        "config.toml:18:30: error: provider[a].models[2]: an id must not be empty",
        "config.toml:22:1: error: provider[a].name: another provider has this name",
        "config.toml:23:1: error: provider[a].preset: no preset `opnai`; the nearest is `openai`",
        "config.toml:24:1: error: provider[a].default: `a` is the default provider already",
    ] {
        assert!(
            shown.iter().any(|line| line.starts_with(expected)),
            "{expected}\n{shown:#?}"
        );
    }
    assert!(
        !shown.iter().any(|line| line.contains("hunter2")),
        "{shown:#?}"
    );
    assert_eq!(
        shown.iter().filter(|line| line.contains("jitter")).count(),
        1
    );
    assert_eq!(shown.len(), 15, "{shown:#?}");
}

#[test]
fn a_key_in_the_environment_switches_its_provider_on() {
    let loaded = with_environment(
        ACME,
        &[("DEEPSEEK_API_KEY", "sk-a, sk-b"), ("GROQ_API_KEY", "")],
    );
    assert_eq!(shown(&loaded), Vec::<String>::new());
    let [acme, deepseek] = loaded.config.providers.as_slice() else {
        panic!("{:?}", loaded.config.providers);
    };
    assert_eq!(acme.name, "acme");
    assert_eq!(deepseek.kind, "openai");
    assert_eq!(
        deepseek.base_url.as_deref(),
        Some("https://api.deepseek.com/v1")
    );
    let tokens: Vec<&str> = deepseek.tokens.iter().map(|token| token.expose()).collect();
    assert_eq!(tokens, ["sk-a", "sk-b"]);
}

#[test]
fn a_key_in_the_environment_goes_to_the_configured_provider_that_has_none() {
    let text = r#"
[[provider]]
name = "mistral"
[[provider]]
name = "eu"
preset = "zhipu"
[[provider]]
name = "groq"
tokens = ["gsk-own"]
"#;
    let keys = [
        ("MISTRAL_API_KEY", "m"),
        ("ZHIPUAI_API_KEY", "z"),
        ("GROQ_API_KEY", "g"),
    ];
    let loaded = with_environment(text, &keys);
    assert_eq!(shown(&loaded), Vec::<String>::new());
    let tokens: Vec<&str> = loaded
        .config
        .providers
        .iter()
        .map(|provider| provider.tokens[0].expose())
        .collect();
    assert_eq!(tokens, ["m", "z", "gsk-own"]);
    assert!(!loaded.config.providers[0].ask_stream_usage);
    assert!(loaded.config.providers[1].ask_stream_usage);
}

#[test]
fn presets_that_need_a_token_say_where_to_put_it() {
    let loaded = from_file("[[provider]]\nname = \"x\"\npreset = \"openai\"\n");
    assert!(!loaded.has_errors());
    assert!(shown(&loaded)[0].contains("OPENAI_API_KEY"));
    let local = from_file("[[provider]]\nname = \"x\"\npreset = \"ollama\"\n");
    assert_eq!(shown(&local), Vec::<String>::new());
}

#[test]
fn a_provider_inherits_what_it_leaves_out() {
    let text = format!(
        "[timeouts]\nidle_ms = 7\n[pool]\nmax_waiting = 9\n{ACME}\
         timeouts = {{ connect_ms = 3 }}\npool = {{ jitter = 0.0 }}\n"
    );
    let loaded = from_file(&text);
    assert!(!loaded.has_errors(), "{:?}", shown(&loaded));
    let acme = &loaded.config.providers[0];
    let timeouts = acme.timeouts.unwrap();
    assert_eq!((timeouts.connect_ms, timeouts.idle_ms), (3, 7));
    let pool = acme.pool.as_ref().unwrap();
    assert_eq!((pool.jitter, pool.max_waiting), (0.0, 9));
}

#[test]
fn a_list_where_none_is_and_a_table_where_a_list_is() {
    let shown = shown(&from_file("pool = 3\n[provider]\nname = \"x\"\n"));
    assert_eq!(
        shown,
        [
            "config.toml:1:1: error: pool: expected a table, found 3",
            "config.toml:2:2: error: provider: expected a list, found a table",
        ]
    );
}

#[test]
fn routes_lead_to_models_that_providers_have() {
    let text = format!(
        "{ACME}models = [\"gpt-4o\", {{ id = \"o3\" }}]\n{}",
        r#"
[[route]]
model = "smart"
targets = ["acme/gpt-4o", "acme/o3"]
[[route]]
model = "balanced"
targets = [{ model = "acme/gpt-4o", weight = 3 }, { model = "acme/o3", priority = 1 }]
on = ["timeout"]
"#
    );
    let loaded = from_file(&text);
    assert_eq!(shown(&loaded), Vec::<String>::new());
    let order = |route: usize| {
        let targets = loaded.config.routes[route].targets();
        let order = targets.map(|target| (target.priority, target.weight));
        order.collect::<Vec<_>>()
    };
    assert_eq!(order(0), [(0, 1), (1, 1)], "names are a list to go along");
    assert_eq!(order(1), [(0, 3), (1, 1)]);
}

#[test]
fn a_faulty_provider_is_not_told_again_for_its_routes() {
    let text = "[[provider]]\nkind = \"openai\"\n\
                [[route]]\nmodel = \"x\"\ntargets = [\"acme/x\"]\n";
    assert_eq!(
        shown(&from_file(text)),
        ["config.toml:1:1: error: provider[0].name: missing"]
    );
}

#[test]
fn what_is_wrong_with_routes_is_told_with_the_nearest_name() {
    let text = format!(
        "{ACME}models = [\"gpt-4o\"]\n{}",
        r#"
[[route]]
model = "smart"
targets = ["acme/gpt-4", "acne/gpt-4o", "gpt-4o", "smart", "acme/gpt-4o", "acme/gpt-4o"]
on = ["rate_limit"]
[[route]]
model = "smart"
targets = ["acme/gpt-4o", { model = "acme/gpt-4o", weight = 0 }]
budget = 3
[[route]]
model = "acme/mine"
targets = []
max_attempts = 0
[[route]]
model = ""
"#
    );
    assert_eq!(
        shown(&from_file(&text)),
        [
            "config.toml:10:12: error: route[smart].targets[0]: provider `acme` lists no model `gpt-4`; \
             the nearest is `gpt-4o`",
            "config.toml:10:26: error: route[smart].targets[1]: there is no provider `acne`; \
             the nearest is `acme`",
            "config.toml:10:41: error: route[smart].targets[2]: `gpt-4o` names no provider; \
             a target is a `provider/model`",
            "config.toml:10:51: error: route[smart].targets[3]: `smart` is a route; \
             a target is a `provider/model`",
            "config.toml:10:75: warning: route[smart].targets[5]: the same as targets[4]",
            "config.toml:11:7: error: route[smart].on[0]: `rate_limit` is none of rate_limited, \
             quota_exhausted, overloaded, timeout, network, upstream, auth_invalid, not_entitled, \
             invalid_request, content_policy; the nearest is `rate_limited`",
            "config.toml:13:1: error: route[smart].model: another route has this name",
            "config.toml:14:1: error: route[smart].targets: names and tables are mixed; \
             give all as names, in their order, or all as tables with a priority",
            "config.toml:14:27: warning: route[smart].targets[acme/gpt-4o]: the same as targets[0]",
            "config.toml:14:52: error: route[smart].targets[acme/gpt-4o].weight: \
             must be from 1 to 1000000, is 0",
            "config.toml:15:1: error: route[smart].budget: unknown key; the nearest known key is `budget_ms`",
            "config.toml:17:1: error: route[acme/mine].model: is a full id of provider `acme`, \
             which goes before routes; choose another name",
            "config.toml:18:1: error: route[acme/mine].targets: empty; name one for an alias, \
             several to fall back along",
            "config.toml:19:1: error: route[acme/mine].max_attempts: must be from 1 to 100, is 0",
            "config.toml:20:1: error: route[].targets: missing",
        ]
    );
}

#[test]
fn an_intensity_that_no_actor_reaches_is_remarked_on() {
    let text = "[supervision]\nintensity = 20\nperiod_seconds = 60\n";
    let shown = shown(&from_file(text));
    assert_eq!(shown.len(), 1, "{shown:?}");
    let expected = "config.toml:2:1: warning: supervision.intensity: is never reached";
    assert!(shown[0].starts_with(expected), "{shown:?}");
}

#[test]
fn a_pool_tries_at_least_once() {
    let text = "[pool]\nmax_attempts = 0\nper_token_concurrency = 1000001\n";
    assert_eq!(
        shown(&from_file(text)),
        [
            "config.toml:2:1: error: pool.max_attempts: must be from 1 to 100, is 0",
            "config.toml:3:1: error: pool.per_token_concurrency: must be from 0 to 1000000, is 1000001",
        ]
    );
}

#[test]
fn counts_and_stored_responses_have_limits() {
    let text = "[tokens]\ncache_entries = 99000000\n[responses]\nmax_chain_bytes = 4000000\nmax_chain = 0\n";
    let shown = shown(&from_file(text));
    for expected in [
        "config.toml:2:1: error: tokens.cache_entries: must be from 0 to 10000000",
        "config.toml:4:1: error: responses.max_chain_bytes: is less than max_bytes",
        "config.toml:5:1: error: responses.max_chain: must be from 1 to 10000",
    ] {
        assert!(
            shown.iter().any(|line| line.starts_with(expected)),
            "{expected} not in {shown:#?}"
        );
    }
}
